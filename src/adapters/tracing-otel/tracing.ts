import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { TraceFlags } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import type { DeliveryTraces } from '../../application/ports/delivery-traces.ts'
import type { MailTransport } from '../../application/ports/mail-transport.ts'
import type { OtpMailComposer } from '../../application/ports/otp-mail-composer.ts'
import type { StatementHook } from '../../contracts/statement-hook.ts'
import { BoundedExport, EXPORT_TIMEOUT_IN_MS, type ExportBounds } from './bounded-export.ts'
import { Spans } from './spans.ts'
import { TracedDeliveries } from './traced-deliveries.ts'
import { tracedFetch } from './traced-fetch.ts'
import { TracedMailTransport } from './traced-mail-transport.ts'
import { TracedRequests } from './traced-requests.ts'
import { tracedStatements } from './traced-statements.ts'

const PACKAGE = new URL('../../../package.json', import.meta.url)

export interface TracingOptions {
  /** The URL to which traces are sent (OTLP over HTTP), with its whole path. */
  readonly endpoint: URL
  /** Further headers for the collector, such as a credential. */
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  /** The id of the process, whose threads share it. Undefined: a new one. */
  readonly instanceId?: string
  /** The share of traces to sample, from 0 to 1, for traces that begin here. Others keep the decision of their origin. */
  readonly sampledShare: number
}

/** Traces one thread of a process. Has the wrappers in which adapters run traced work, and exports all spans together. */
export class Tracing {
  readonly requests: TracedRequests
  readonly deliveries: DeliveryTraces
  readonly fetch: typeof fetch
  /** Runs named statements. */
  readonly statements: StatementHook
  readonly #provider: TracerProvider
  readonly #spans: Spans

  constructor(
    { endpoint, headers, serviceName, instanceId = randomUUID(), sampledShare }: TracingOptions,
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
        'service.instance.id': instanceId,
      }),
      sampler: new ParentBasedSampler({ root: unlessLinked(new TraceIdRatioBasedSampler(sampledShare)) }),
      spanProcessors: [new BoundedExport(exporter, logger, bounds)],
    })
    this.#spans = new Spans(this.#provider.getTracer('countersign', version))
    this.requests = new TracedRequests(this.#spans)
    this.deliveries = new TracedDeliveries(this.#spans)
    this.fetch = tracedFetch(this.#spans)
    this.statements = tracedStatements(this.#spans)
  }

  /** Makes a span for each composed mail. The span has no content of the mail. */
  mailComposer(composer: OtpMailComposer): OtpMailComposer {
    return { compose: (notice) => this.#spans.during('compose mail', {}, () => composer.compose(notice)) }
  }

  mailTransport(name: string, transport: MailTransport): MailTransport {
    return new TracedMailTransport(name, transport, this.#spans)
  }

  /** Exports the remaining spans. Takes a few seconds at most. */
  stop(): Promise<void> {
    return this.#provider.shutdown()
  }
}

/** Samples a span with links if one of them is to a sampled span. Otherwise such a link would lead nowhere. */
function unlessLinked(sampler: Sampler): Sampler {
  return {
    shouldSample: (context, traceId, name, kind, attributes, links) =>
      links.some((link) => link.context.traceFlags & TraceFlags.SAMPLED)
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : sampler.shouldSample(context, traceId, name, kind, attributes, links),
  }
}
