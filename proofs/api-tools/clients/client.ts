/** What a generated client can do, whatever it looks like. Every answer has its status. */
export interface Client {
  issueToken(request: { sub: string } | { client_id: string; scope: string }): Promise<string>
  putUser(token: string, userId: string, email: string): Promise<number>
  openChallenge(token: string, key: string, demand: Demand): Promise<Opened>
  initiate(token: string, challengeId: string): Promise<number>
  mailsTo(address: string): Promise<readonly { text: string }[]>
  /** The code of the error too, if there is one. */
  verify(
    token: string,
    challengeId: string,
    totp: string,
  ): Promise<{ status: number; code?: string | undefined }>
  consume(token: string, key: string, challengeId: string, proof: Proof): Promise<Consumed>
  cancel(token: string, challengeId: string): Promise<number>
}

export interface Demand {
  subjectUserId: string
  operation: { type: string; digest: string; summary: { label: string; value: string }[] }
}

export interface Opened {
  status: number
  challengeId: string
  signature: string
}

export interface Proof {
  signature: string
  digest: string
}

export interface Consumed {
  status: number
  authorisation: string
}
