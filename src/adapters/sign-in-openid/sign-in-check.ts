import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { discoverIssuer, type IssuerClient } from './discover-issuer.ts'

export interface CheckedSignIn extends IssuerClient {
  readonly scopes: string
}

const NAME = 'support-sign-in'
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const VISIBLE = /^[\x21-\x7e]{1,255}$/
/** What Node calls a certificate that does not verify. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|^ERR_(?:TLS|SSL)/
const OTHER_ISSUER = 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'
const WHERE = 'Check SUPPORT_ISSUER (unset: AUTH_ISSUER), and that this machine can reach it'
const CONSEQUENCE = 'Until then no agent can sign in at the desk'

/** What the library throws, as far as it is read here. */
interface Failure {
  readonly code?: unknown
  readonly name?: unknown
  readonly cause?: unknown
}

/** Fetches the discovery document of the issuer of support agents as the desk does, and looks for what the sign-in needs. */
export class SignInCheck implements DiagnosticCheck {
  readonly name = NAME
  readonly #signIn: CheckedSignIn

  constructor(signIn: CheckedSignIn) {
    this.#signIn = signIn
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { issuer, scopes } = this.#signIn
    const { host } = new URL(issuer)
    try {
      const client = await discoverIssuer(this.#signIn)
      yield documentResult(host, scopes, client.serverMetadata())
    } catch (error) {
      yield failureResult(issuer, host, error)
    }
  }
}

type Metadata = Readonly<Record<string, unknown>>

function documentResult(host: string, scopes: string, document: Metadata): CheckResult {
  const missing = ENDPOINTS.filter((name) => typeof document[name] !== 'string')
  if (missing.length > 0) {
    return CheckResult.failed(
      NAME,
      `the discovery document of ${host} lacks ${missing.join(', ')}`,
      `Set SUPPORT_ISSUER to an issuer of OpenID Connect. ${CONSEQUENCE}`,
    )
  }
  if (lacks(document.token_endpoint_auth_methods_supported, 'client_secret_basic')) {
    return CheckResult.failed(
      NAME,
      `${host} does not take client_secret_basic`,
      `Allow the client of the desk this method of RFC 6749 at the issuer. ${CONSEQUENCE}`,
    )
  }
  if (lacks(document.code_challenge_methods_supported, 'S256')) {
    return CheckResult.warning(
      NAME,
      `${host} does not list S256 for PKCE`,
      'Turn on PKCE at the issuer, if it can. The desk sends a challenge with each sign-in',
    )
  }
  const unlisted = scopes.split(' ').filter((scope) => lacks(document.scopes_supported, scope))
  if (unlisted.length > 0) {
    return CheckResult.warning(
      NAME,
      `${host} does not list the scope ${unlisted.join(' ')} of SUPPORT_SCOPES`,
      'Create the scope at the issuer, or take it out of SUPPORT_SCOPES. Some issuers refuse a sign-in for it',
    )
  }
  return CheckResult.ok(NAME, `${host} is the issuer that it says it is, and has what the desk needs`)
}

/** An issuer need not say what it supports. */
function lacks(list: unknown, value: string): boolean {
  return Array.isArray(list) && !list.includes(value)
}

function failureResult(issuer: string, host: string, error: unknown): CheckResult {
  const chain = causesOf(error)
  if (chain.some(({ code }) => code === OTHER_ISSUER)) {
    const named = chain.map((each) => (each as { body?: Metadata }).body?.issuer).find(Boolean)
    const theirs = typeof named === 'string' && VISIBLE.test(named) ? named : 'something else'
    return CheckResult.failed(
      NAME,
      `agents are to sign in at ${issuer}, and its discovery document says ${theirs}`,
      `Set SUPPORT_ISSUER to the \`issuer\` of that document, character by character. ${CONSEQUENCE}`,
    )
  }
  const certificate = chain.map(({ code }) => code).find((code) => CERTIFICATE.test(String(code)))
  if (certificate !== undefined) {
    return CheckResult.failed(
      NAME,
      `the certificate of ${host} does not verify: ${certificate}`,
      `Give the issuer a certificate for its name, or set NODE_EXTRA_CA_CERTS to the file of your own authority. ${CONSEQUENCE}`,
    )
  }
  return CheckResult.failed(
    NAME,
    `${host} gives no discovery document: ${reasonOf(chain)}`,
    `${WHERE}. ${CONSEQUENCE}`,
  )
}

function reasonOf(chain: readonly Failure[]): string {
  const status = chain.find((each) => each instanceof Response) as Response | undefined
  if (status && status.status !== 200) return `it answers ${status.status}`
  if (status || chain.some((each) => each instanceof SyntaxError)) return 'the answer is not such a document'
  if (chain.some(({ name }) => name === 'TimeoutError')) return 'no answer in time'
  const code = chain.map((each) => each.code).find((each) => /^E[A-Z_]+$/.test(String(each)))
  return code === undefined ? 'no connection' : String(code)
}

/** An error, what caused it, and so on. */
function causesOf(error: unknown): readonly Failure[] {
  const chain: Failure[] = []
  for (let each = error; typeof each === 'object' && each !== null; each = (each as Failure).cause) {
    chain.push(each)
  }
  return chain
}
