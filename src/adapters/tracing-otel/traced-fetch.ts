import { SpanKind } from '@opentelemetry/api'
import { fail, type Spans } from './spans.ts'

/**
 * `fetch` with a span for each call. Sends the trace context to the server. The span has the host of the URL only, because
 * path and query may hold personal data.
 */
export function tracedFetch(spans: Spans): typeof fetch {
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const method = init.method ?? 'GET'
    const attributes = {
      'http.request.method': method,
      'server.address': url.hostname,
      ...(url.port && { 'server.port': Number(url.port) }),
    }
    return spans.within(method, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      const headers = new Headers(init.headers)
      for (const [name, value] of Object.entries(spans.headers())) headers.set(name, value)

      const response = await fetch(input, { ...init, headers })
      span.setAttribute('http.response.status_code', response.status)
      if (response.status >= 400) fail(span, String(response.status))
      return response
    })
  }
}
