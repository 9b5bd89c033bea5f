/** A support agent who has signed in at the issuer. */
export interface Agent {
  /** The `sub` that the issuer has for them. */
  readonly id: string
  /** What to call them on a page. */
  readonly name: string
  readonly mayRead: boolean
  readonly mayWrite: boolean
}

/** What the browser that began a sign-in keeps until its end, and nobody else may read. */
export interface SignInSecrets {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** Signs support agents in at an issuer outside. */
export abstract class AgentSignIn {
  /** Where to send the browser. @throws {SignInUnavailable} */
  abstract begin(): Promise<{ readonly url: URL; readonly secrets: SignInSecrets }>

  /**
   * @param query what the issuer sent back with the browser, from the `?` on.
   * @throws {SignInRefused} @throws {SignInUnavailable}
   */
  abstract finish(query: string, secrets: SignInSecrets): Promise<Agent>

  /** Where an agent ends the session at the issuer. Undefined if the issuer has no such page, or does not answer. */
  abstract endSessionUrl(): Promise<URL | undefined>
}

/** The issuer refused, or its answer is not the one to the sign-in that this browser began. */
export class SignInRefused extends Error {
  /** A code of OAuth or of the library, without any value. */
  readonly reason: string
  constructor(reason: string) {
    super(`The sign-in was refused: ${reason}`)
    this.reason = reason
  }
}

/** The issuer does not answer, or not as it should, or does not accept this service as its client. */
export class SignInUnavailable extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(`The issuer cannot be used: ${reason}`)
    this.reason = reason
  }
}
