import type { JWK } from 'jose'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { fetchPublicKeys } from './issuer-keys.ts'
import { ALGORITHMS } from './jose-access-tokens.ts'

/** The types and curves of a JWK without `alg` that can sign a token (RFC 7518 §3.1, RFC 8037 §3.1). */
const USABLE = ['RSA', 'P-256', 'P-384', 'P-521', 'Ed25519']

/** Fetches the keys of the token issuer, as the service does. */
export class IssuerCheck implements DiagnosticCheck {
  readonly name = 'issuer'
  readonly #jwksUrl: URL

  constructor(jwksUrl: URL) {
    this.#jwksUrl = jwksUrl
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { host, protocol } = this.#jwksUrl
    let keys: readonly JWK[]
    try {
      keys = (await fetchPublicKeys(this.#jwksUrl)).keys
    } catch (error) {
      yield CheckResult.failed(
        'issuer',
        `${host} gives no keys: ${reasonOf(error)}`,
        'Check AUTH_JWKS_URL (`jwks_uri` in /.well-known/openid-configuration of the issuer), and that this machine can reach it. Without keys the service accepts no access token',
      )
      return
    }

    const usable = keys.filter(isUsable)
    const found = `${host} has ${usable.length} of ${keys.length} public keys that tokens may be signed with`
    if (usable.length === 0) {
      yield CheckResult.failed('issuer', found, `Let the issuer sign with one of ${ALGORITHMS.join(', ')}`)
    } else if (usable.some(({ kid }) => kid === undefined) && usable.length > 1) {
      yield CheckResult.warning(
        'issuer',
        `${found}, some without a kid`,
        'Let the issuer give each key a kid: the service cannot choose between several keys without one',
      )
    } else if (protocol !== 'https:') {
      yield CheckResult.warning(
        'issuer',
        `${found}, over plain HTTP`,
        'Use https://, unless the issuer always runs on this machine',
      )
    } else {
      yield CheckResult.ok('issuer', found)
    }
  }
}

function isUsable({ kty, crv, alg, use, key_ops: operations }: JWK): boolean {
  const signs = use === undefined || use === 'sig'
  const verifies = operations === undefined || operations.includes('verify')
  return signs && verifies && (alg ? ALGORITHMS.includes(alg) : USABLE.includes(crv ?? kty ?? ''))
}

/** Why the keys are missing. `fetch` keeps the reason in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: NodeJS.ErrnoException }
  if (name === 'TimeoutError') return 'no answer in time'
  if (cause) return cause.code ?? 'no connection'
  return error instanceof SyntaxError ? 'the answer is not JSON' : message
}
