import { setTimeout as wait } from 'node:timers/promises'
import { TraceFlags } from '@opentelemetry/api'
import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'

/** Spans that have ended and are not exported yet: about ten megabytes. A busy process makes as many in a few seconds. */
const MAX_WAITING = 8192
const EXPORT_EVERY_MS = 1000
/** If the collector has not answered by then, the batch counts as lost. */
export const EXPORT_TIMEOUT_IN_MS = 5000
/** At shutdown, the export of the remaining spans may take this long. */
const FLUSH_TIMEOUT_IN_MS = 3000
const LOG_EVERY_MS = 60_000

export interface ExportBounds {
  readonly maxWaiting?: number
  readonly flushTimeoutInMs?: number
  readonly logEveryMs?: number
}

/**
 * Exports ended spans in batches and drops those that it cannot export, so the service continues without traces. It logs
 * how many were lost, and why, at most once a minute. The line quotes neither the address nor the answer of the collector,
 * because both may hold a secret.
 */
export class BoundedExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor
  readonly #logger: Logger
  readonly #bounds: Required<ExportBounds>
  #waiting = 0
  #lost = 0
  #lastLoggedAt = Number.NEGATIVE_INFINITY

  constructor(exporter: SpanExporter, logger: Logger, bounds: ExportBounds = {}) {
    this.#logger = logger
    this.#bounds = {
      maxWaiting: MAX_WAITING,
      flushTimeoutInMs: FLUSH_TIMEOUT_IN_MS,
      logEveryMs: LOG_EVERY_MS,
      ...bounds,
    }
    this.#batches = new BatchSpanProcessor({
      exporter: this.#watched(exporter),
      maxQueueSize: this.#bounds.maxWaiting,
      scheduledDelayMillis: EXPORT_EVERY_MS,
      exportTimeoutMillis: EXPORT_TIMEOUT_IN_MS,
    })
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return
    if (this.#waiting >= this.#bounds.maxWaiting) {
      this.#lose(1, 'too many at once')
      return
    }
    this.#waiting++
    this.#batches.onEnd(span)
  }

  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush()
  }

  /** Exports the remaining spans within the time-out. Never rejects. */
  async shutdown(): Promise<void> {
    // The exporter below already counts and logs a batch that fails.
    const flushed = this.#batches.shutdown().catch(() => {})
    await Promise.race([flushed, wait(this.#bounds.flushTimeoutInMs, undefined, { ref: false })])
  }

  /** Wraps the exporter to learn how each batch ends. A batch without a result in time counts as lost. */
  #watched(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) => {
        let settled = false
        const settle = (result: ExportResult) => {
          if (settled) return
          settled = true
          clearTimeout(timer)
          this.#waiting -= spans.length
          if (result.code === ExportResultCode.FAILED) this.#lose(spans.length, reasonOf(result.error))
          done(result)
        }
        const timer = setTimeout(() => settle({ code: ExportResultCode.FAILED }), EXPORT_TIMEOUT_IN_MS)
        timer.unref()
        exporter.export(spans, settle)
      },
      shutdown: () => exporter.shutdown(),
    }
  }

  #lose(spans: number, reason: string | number): void {
    this.#lost += spans
    const now = performance.now()
    if (now - this.#lastLoggedAt < this.#bounds.logEveryMs) return
    this.#logger.warn({ spans: this.#lost, reason }, 'traces lost')
    this.#lastLoggedAt = now
    this.#lost = 0
  }
}

/** The status of the answer, or the code of the system error. All other texts come from the collector. */
function reasonOf(error: unknown): string | number {
  const { code } = { code: undefined, ...(error as { readonly code?: unknown } | undefined) }
  if (typeof code === 'number') return code
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? code : 'no answer'
}
