import { SpanKind } from '@opentelemetry/api'
import { fail, type Spans } from './spans.ts'

/** What a request of a stranger may add to the names of spans. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Asked every few seconds by whoever runs the service, and never part of anything. */
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
  /** What goes with a code that the request issues, to the delivery of its mail. */
  readonly traceContext: string
}

/**
 * A span for each request. Path and query are left out although the semantic conventions want them: whoever writes a path may write an
 * address into it. The pattern of the route says the rest.
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
    const options = { kind: SpanKind.SERVER, attributes, parent: this.#spans.placeIn(headers) }

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
