import { SpanKind } from '@opentelemetry/api'
import { fail, type Spans } from './spans.ts'

/** Only these methods appear in the names of spans. A client could send any other text. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Not traced: orchestrators call these every few seconds, and they belong to no other trace. */
const PROBES = new Set(['/healthz', '/readyz'])

interface Request {
  readonly method: string
  readonly path: string
  readonly scheme: string
  readonly headers: object
}

interface Answer {
  readonly requestId: string
  readonly route: string | undefined
  readonly status: number
  readonly code: string | undefined
  readonly challengeId: string | undefined
}

interface TracedRequest {
  readonly traceId: string
  /** Stored with a code that this request issues, so that the delivery of the mail joins the trace. */
  readonly traceContext: string
}

/**
 * Makes a span for each request. It omits path and query, although the semantic conventions ask for them: a client may
 * write an address into a path. The span has the pattern of the route instead.
 */
export class TracedRequests {
  readonly #spans: Spans

  constructor(spans: Spans) {
    this.#spans = spans
  }

  async follow(
    { method: given, path, scheme, headers }: Request,
    handle: (traced: TracedRequest | undefined) => Promise<Answer>,
  ): Promise<void> {
    if (PROBES.has(path)) {
      await handle(undefined)
      return
    }
    const method = METHODS.has(given) ? given : '_OTHER'
    const attributes = { 'http.request.method': method, 'url.scheme': scheme }
    const options = { kind: SpanKind.SERVER, attributes, parent: this.#spans.parentIn(headers) }

    await this.#spans.within(method, options, async (span) => {
      const { traceId } = span.spanContext()
      const { requestId, route, status, code, challengeId } = await handle({
        traceId,
        traceContext: this.#spans.headers().traceparent!,
      })
      if (route !== undefined) span.updateName(`${method} ${route}`)
      span.setAttributes({
        'http.response.status_code': status,
        'countersign.request_id': requestId,
        ...(route !== undefined && { 'http.route': route }),
        ...(code !== undefined && { 'countersign.error_code': code }),
        ...(challengeId !== undefined && { 'countersign.challenge_id': challengeId }),
      })
      if (status >= 500) fail(span, String(status))
    })
  }
}
