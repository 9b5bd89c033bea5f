import type { Metrics, TokenRefusal } from './metrics.ts'

/** Node reads some thirty methods more, none of which this service knows. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** By the codes of jose; any other reason, of jose or of our own, needs no name of its own. */
const REFUSALS: ReadonlyMap<string, TokenRefusal> = new Map([
  ['ERR_JWT_EXPIRED', 'expired'],
  ['ERR_JWKS_NO_MATCHING_KEY', 'unknown-key'],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'bad-signature'],
  ['ERR_JWT_CLAIM_VALIDATION_FAILED', 'claims'],
])

interface AnsweredRequest {
  /** The pattern of the route; undefined where none matched. */
  readonly route: string | undefined
  readonly method: string
  readonly status: number
  readonly code: string | undefined
  readonly refusal: string | undefined
  readonly durationInSeconds: number
}

/**
 * Measures requests, and counts tokens that were refused. That a token was missing, or its issuer away, is in the codes. A call
 * costs about a microsecond, with or without a child of the histogram kept for each set of labels.
 */
export class RequestMetrics {
  readonly #metrics: Metrics

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  answered(request: AnsweredRequest): void {
    const { route = 'unmatched', method, status, code = '', refusal, durationInSeconds } = request
    const labels = { route, method: METHODS.has(method) ? method : 'other', status, code }
    this.#metrics.requestDuration.observe(labels, durationInSeconds)
    if (refusal !== undefined) {
      this.#metrics.tokenRefusals.inc({ reason: REFUSALS.get(refusal) ?? 'other' })
    }
  }
}
