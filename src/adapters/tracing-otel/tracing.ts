import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import type { DeliveryTraces } from '../../application/ports/delivery-traces.ts'
import type { MailTransport } from '../../application/ports/mail-transport.ts'
import type { OtpMailComposer } from '../../application/ports/otp-mail-composer.ts'
import { BoundedExport, EXPORT_TIMEOUT_IN_MS, type ExportBounds } from './bounded-export.ts'
import { Spans } from './spans.ts'
import { TracedDeliveries } from './traced-deliveries.ts'
import { tracedFetch } from './traced-fetch.ts'
import { TracedMailTransport } from './traced-mail-transport.ts'
import { TracedRequests } from './traced-requests.ts'
import { tracedStatements } from './traced-statements.ts'

const PACKAGE = new URL('../../../package.json', import.meta.url)

export interface TracingOptions {
  /** Where OTLP traces are taken over HTTP, with its whole path. */
  readonly endpoint: URL
  /** What the collector wants besides, such as a credential. */
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  /** Of the traces that begin here; those that began elsewhere were decided about there. From 0 to 1. */
  readonly sampledShare: number
}

/** Traces one process: what its adapters are given to run things in, over one export. */
export class Tracing {
  readonly requests: TracedRequests
  readonly deliveries: DeliveryTraces
  readonly fetch: typeof fetch
  /** Runs a named statement. */
  readonly statement: ReturnType<typeof tracedStatements>
  readonly #provider: TracerProvider
  readonly #spans: Spans

  constructor(
    { endpoint, headers, serviceName, sampledShare }: TracingOptions,
    logger: Logger,
    bounds?: ExportBounds,
  ) {
    const exporter = new OTLPTraceExporter({
      url: endpoint.href,
      headers,
      timeoutMillis: EXPORT_TIMEOUT_IN_MS,
    })
    const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
        'service.instance.id': randomUUID(),
      }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampledShare) }),
      spanProcessors: [new BoundedExport(exporter, logger, bounds)],
    })
    this.#spans = new Spans(this.#provider.getTracer('countersign', version))
    this.requests = new TracedRequests(this.#spans)
    this.deliveries = new TracedDeliveries(this.#spans)
    this.fetch = tracedFetch(this.#spans)
    this.statement = tracedStatements(this.#spans)
  }

  /** A span for each mail that is composed, which repeats no word of it. */
  mailComposer(composer: OtpMailComposer): OtpMailComposer {
    return { compose: (notice) => this.#spans.during('compose mail', {}, () => composer.compose(notice)) }
  }

  mailTransport(name: string, transport: MailTransport): MailTransport {
    return new TracedMailTransport(name, transport, this.#spans)
  }

  /** Exports what is left, within a few seconds in any case. */
  stop(): Promise<void> {
    return this.#provider.shutdown()
  }
}
