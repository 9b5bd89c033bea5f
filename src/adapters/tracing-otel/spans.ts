import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  type TimeInput,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { DomainError } from '../../domain/domain-error.ts'

/** The options of a span, and its parent if that is not the active span. */
export interface PlacedSpanOptions extends SpanOptions {
  readonly parent?: Context
}

/**
 * Makes spans and knows which one is active. It uses no global of OpenTelemetry, so only code that receives this object
 * is traced.
 */
export class Spans {
  readonly #tracer: Tracer
  readonly #active = new AsyncLocalStorageContextManager().enable()
  readonly #w3c = new W3CTraceContextPropagator()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  /**
   * Runs `work` in a new span, which ends with it. For an error, the span has the class only, because a message may quote
   * personal data. A domain error is an expected answer, so it does not mark the span as failed.
   */
  async within<Result>(
    name: string,
    { parent = this.#active.active(), ...options }: PlacedSpanOptions,
    work: (span: Span) => Promise<Result>,
  ): Promise<Result> {
    const span = this.#tracer.startSpan(name, options, parent)
    try {
      return await this.#active.with(trace.setSpan(parent, span), () => work(span))
    } catch (error) {
      if (!(error instanceof DomainError)) fail(span, nameOf(error))
      throw error
    } finally {
      span.end()
    }
  }

  /** The active span, which would be the parent of a new one. */
  active(): Span | undefined {
    return trace.getSpan(this.#active.active())
  }

  /** Runs synchronous `work` in a new span below the active one. */
  during<Result>(name: string, options: SpanOptions, work: () => Result): Result {
    const span = this.#tracer.startSpan(name, options, this.#active.active())
    try {
      return work()
    } catch (error) {
      fail(span, nameOf(error))
      throw error
    } finally {
      span.end()
    }
  }

  /** Adds a span below the active one for work that has already ended. */
  add(name: string, options: SpanOptions, end: TimeInput): void {
    this.#tracer.startSpan(name, options, this.#active.active()).end(end)
  }

  /** The parent that the headers name (W3C Trace Context). Without a valid header, the span starts a new trace. */
  parentIn(headers: object): Context {
    return this.#w3c.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  }

  /** The headers that name the active span. */
  headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {}
    this.#w3c.inject(this.#active.active(), headers, defaultTextMapSetter)
    return headers
  }
}

/** Marks the span as failed. */
export function fail(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error
}
