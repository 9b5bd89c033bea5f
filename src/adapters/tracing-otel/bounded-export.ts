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

/** Ended and not yet exported. Some ten megabytes, and what a busy process makes in a few seconds. */
const MOST_WAITING = 8192
const EXPORT_EVERY_MS = 1000
/** A collector that has not answered by then has lost the batch. */
export const EXPORT_TIMEOUT_IN_MS = 5000
/** What is still to be exported when the service stops gets this long. */
const FLUSH_TIMEOUT_IN_MS = 3000
const TELL_EVERY_MS = 60_000

export interface ExportBounds {
  readonly mostWaiting?: number
  readonly flushTimeoutInMs?: number
  readonly tellEveryMs?: number
}

/**
 * Exports ended spans in batches and gives up those that it cannot get rid of: the service goes on without its traces. How many were
 * lost and why is told at most once a minute, without a word of the collector's, whose address or answer may hold a secret.
 */
export class BoundedExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor
  readonly #logger: Logger
  readonly #bounds: Required<ExportBounds>
  #waiting = 0
  #lost = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(exporter: SpanExporter, logger: Logger, bounds: ExportBounds = {}) {
    this.#logger = logger
    this.#bounds = {
      mostWaiting: MOST_WAITING,
      flushTimeoutInMs: FLUSH_TIMEOUT_IN_MS,
      tellEveryMs: TELL_EVERY_MS,
      ...bounds,
    }
    this.#batches = new BatchSpanProcessor({
      exporter: this.#watched(exporter),
      maxQueueSize: this.#bounds.mostWaiting,
      scheduledDelayMillis: EXPORT_EVERY_MS,
      exportTimeoutMillis: EXPORT_TIMEOUT_IN_MS,
    })
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return
    if (this.#waiting >= this.#bounds.mostWaiting) {
      this.#lose(1, 'too many at once')
      return
    }
    this.#waiting++
    this.#batches.onEnd(span)
  }

  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush()
  }

  /** Exports what is left, for as long as that may take. Never rejects. */
  async shutdown(): Promise<void> {
    // A batch that fails is told of where it is exported.
    const flushed = this.#batches.shutdown().catch(() => {})
    await Promise.race([flushed, wait(this.#bounds.flushTimeoutInMs, undefined, { ref: false })])
  }

  /** The exporter, and how each of its batches ends; where it does not say so in time, it is lost. */
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
    if (now - this.#toldAt < this.#bounds.tellEveryMs) return
    this.#logger.warn({ spans: this.#lost, reason }, 'traces lost')
    this.#toldAt = now
    this.#lost = 0
  }
}

/** The status of the answer or the code of the system's error, which is all that is not written by somebody else. */
function reasonOf(error: unknown): string | number {
  const { code } = { code: undefined, ...(error as { readonly code?: unknown } | undefined) }
  if (typeof code === 'number') return code
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? code : 'no answer'
}
