import type { JWK } from 'jose'
import type { Clock } from '../../application/ports/clock.ts'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { type Discovery, discover } from './discovery.ts'
import { fetchJson, type IssuerAnswer } from './issuer-answer.ts'
import { MAX_CANDIDATES, publicKeysIn } from './issuer-keys.ts'
import { ALGORITHMS, type UserTokenRules } from './jose-access-tokens.ts'

/** The types and curves of a JWK without `alg` that can sign a token (RFC 7518 §3.1, RFC 8037 §3.1). */
const USABLE = ['RSA', 'P-256', 'P-384', 'P-521', 'Ed25519']
/** RFC 7518 §3.3 and §3.5: 2048 bits, as base64url. */
const MIN_MODULUS_CHARACTERS = 342

const PARTS = [
  ['protocol', 'the scheme'],
  ['host', 'the host'],
  ['pathname', 'the path'],
  ['search', 'the query'],
] as const

interface CheckedIssuer {
  readonly issuer: string
  readonly jwksUrl: URL
  readonly clockToleranceInSeconds: number
  readonly users?: UserTokenRules
  readonly claims?: { readonly scopePrefix?: string | undefined }
}

/** Fetches the keys of the token issuer as the service does, and compares its clock and its name with ours. */
export class IssuerCheck implements DiagnosticCheck {
  readonly name = 'issuer'
  readonly #issuer: CheckedIssuer
  readonly #clock: Clock

  constructor(issuer: CheckedIssuer, clock: Clock) {
    this.#issuer = issuer
    this.#clock = clock
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { issuer, jwksUrl, clockToleranceInSeconds } = this.#issuer
    const discovery = discover(issuer, jwksUrl)
    const askedAt = this.#clock.now()
    let answer: IssuerAnswer
    let keys: readonly JWK[]
    try {
      answer = await fetchJson(jwksUrl)
      keys = publicKeysIn(answer.json).keys
    } catch (error) {
      yield CheckResult.failed(
        'issuer',
        `${jwksUrl.host} gives no keys: ${reasonOf(error)}`,
        'Check AUTH_JWKS_URL (`jwks_uri` in /.well-known/openid-configuration of the issuer), and that this machine can reach it. Without keys the service accepts no access token',
      )
      yield nameResult(issuer, jwksUrl, await discovery)
      return
    }
    yield keysResult(jwksUrl, keys)
    yield clockResult(answer.headers, askedAt, this.#clock.now(), clockToleranceInSeconds)
    yield nameResult(issuer, jwksUrl, await discovery)
    yield* usersResult(this.#issuer, await discovery)
  }
}

function keysResult({ host, protocol }: URL, keys: readonly JWK[]): CheckResult {
  const usable = keys.filter(isUsable)
  const found = `${host} has ${usable.length} of ${keys.length} public keys that tokens may be signed with`
  if (usable.length === 0) {
    return CheckResult.failed('issuer', found, `Let the issuer sign with one of ${ALGORITHMS.join(', ')}`)
  }
  if (usable.filter(({ kid }) => kid === undefined).length > MAX_CANDIDATES) {
    return CheckResult.warning(
      'issuer',
      `${found}, more than ${MAX_CANDIDATES} of them without a kid`,
      `Let the issuer give each key a kid: the service tries ${MAX_CANDIDATES} keys for a token that names none`,
    )
  }
  if (protocol !== 'https:') {
    return CheckResult.warning(
      'issuer',
      `${found}, over plain HTTP`,
      'Use https://, unless the issuer always runs on this machine',
    )
  }
  return CheckResult.ok('issuer', found)
}

function isUsable({ kty, crv, alg, use, n, key_ops: operations }: JWK): boolean {
  const signs = use === undefined || use === 'sig'
  const verifies = operations === undefined || operations.includes('verify')
  const isLongEnough = kty !== 'RSA' || (n?.length ?? 0) >= MIN_MODULUS_CHARACTERS
  return (
    signs && verifies && isLongEnough && (alg ? ALGORITHMS.includes(alg) : USABLE.includes(crv ?? kty ?? ''))
  )
}

/**
 * Compares our clock with the `Date` of an answer that came between two instants. The header has whole seconds, and a
 * cache adds the seconds since then as `Age` (RFC 9111 §4.2.3). So the result is the smallest possible difference.
 */
function clockResult(headers: Headers, askedAt: Date, answeredAt: Date, tolerance: number): CheckResult {
  const earliest = Date.parse(headers.get('Date') ?? '') / 1000 + Number(headers.get('Age') ?? 0)
  if (Number.isNaN(earliest)) return CheckResult.ok('issuer-clock', 'the issuer does not say what time it is')

  const behind = earliest - answeredAt.getTime() / 1000
  const ahead = askedAt.getTime() / 1000 - (earliest + 1)
  const remedy =
    'Synchronise the clocks of both machines (NTP). Until then AUTH_CLOCK_TOLERANCE_SECONDS may be 60 at most'
  if (behind > tolerance) {
    return CheckResult.failed(
      'issuer-clock',
      `this clock is ${seconds(behind)} behind that of the issuer: new tokens are refused as not-yet-valid`,
      remedy,
    )
  }
  if (ahead > tolerance) {
    return CheckResult.warning(
      'issuer-clock',
      `this clock is ${seconds(ahead)} ahead of that of the issuer: tokens expire too early`,
      remedy,
    )
  }
  const difference = Math.max(behind, ahead)
  return CheckResult.ok(
    'issuer-clock',
    difference > 0
      ? `differs from that of the issuer by ${seconds(difference)}, which is tolerated`
      : 'agrees with that of the issuer',
  )
}

function seconds(difference: number): string {
  return `${Math.ceil(difference)} s`
}

function nameResult(issuer: string, jwksUrl: URL, document: Discovery | undefined): CheckResult {
  if (!document) {
    return CheckResult.ok('issuer-name', 'there is no discovery document to compare AUTH_ISSUER with')
  }
  if (document.issuer !== issuer) {
    return CheckResult.failed(
      'issuer-name',
      `AUTH_ISSUER is ${issuer}, and the discovery document says ${document.issuer}: ${differenceOf(issuer, document.issuer)}`,
      'Set AUTH_ISSUER to the `iss` of the tokens, character by character. Every other token is refused',
    )
  }
  if (document.jwksUri && document.jwksUri.pathname !== jwksUrl.pathname) {
    return CheckResult.warning(
      'issuer-name',
      `the discovery document has its keys at ${document.jwksUri.href}, and AUTH_JWKS_URL is another place`,
      'Set AUTH_JWKS_URL to `jwks_uri` of the discovery document, or tokens may be signed with keys that are not there',
    )
  }
  return CheckResult.ok('issuer-name', 'AUTH_ISSUER is that of the discovery document')
}

/** Whether the issuer says that it can give users what `AUTH_USER_…` demands. It need not say so. */
function* usersResult(
  { users: { scope, maxLoginAgeInSeconds } = {}, claims }: CheckedIssuer,
  document: Discovery | undefined,
): Generator<CheckResult> {
  const scopes = scope === undefined ? [] : [scope, `${claims?.scopePrefix ?? ''}${scope}`]
  if (
    document?.scopes &&
    scopes.length > 0 &&
    !document.scopes.some((each) => scopes.includes(String(each)))
  ) {
    yield CheckResult.warning(
      'issuer-users',
      'the issuer does not list the scope of AUTH_USER_SCOPE',
      'Create the scope at the issuer and let the users’ apps ask for it. Without it, users get 403',
    )
  }
  if (document?.claims && maxLoginAgeInSeconds !== undefined && !document.claims.includes('auth_time')) {
    yield CheckResult.warning(
      'issuer-users',
      'the issuer does not list the claim auth_time, which AUTH_USER_LOGIN_MAX_AGE_SECONDS needs',
      'Let the issuer write auth_time into access tokens, or unset the variable. Without the claim, users get 401',
    )
  }
}

function differenceOf(ours: string, theirs: string): string {
  if (`${ours}/` === theirs) return 'AUTH_ISSUER lacks the slash at the end'
  if (ours === `${theirs}/`) return 'AUTH_ISSUER has a slash too many at the end'
  if (ours.toLowerCase() === theirs.toLowerCase()) return 'upper and lower case differ'
  if (!URL.canParse(ours) || !URL.canParse(theirs)) return 'one of them is no URL'

  const [one, other] = [new URL(ours), new URL(theirs)]
  const part = PARTS.find(([name]) => one[name] !== other[name])?.[1] ?? 'the spelling'
  return `${part} differs`
}

/** Why the keys are missing. `fetch` keeps the reason in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: NodeJS.ErrnoException }
  if (name === 'TimeoutError') return 'no answer in time'
  if (cause) return cause.code ?? 'no connection'
  return error instanceof SyntaxError ? 'the answer is not JSON' : message
}
