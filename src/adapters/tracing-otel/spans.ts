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

/** Where a span belongs that does not belong below the active one. */
export interface SpanPlace extends SpanOptions {
  readonly parent?: Context
}

/**
 * Makes spans and knows which one is active. Nothing of it is a global of OpenTelemetry's: what is traced is what is composed of
 * it, and nothing else.
 */
export class Spans {
  readonly #tracer: Tracer
  readonly #active = new AsyncLocalStorageContextManager().enable()
  readonly #w3c = new W3CTraceContextPropagator()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  /**
   * Runs `work` in a new span and ends that with it. Of an error it says the class alone, since a message may quote
   * anything; and a refusal of the domain is none.
   */
  async within<Result>(
    name: string,
    { parent = this.#active.active(), ...options }: SpanPlace,
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

  /** Whether there is a span for others to be below. */
  isActive(): boolean {
    return trace.getSpan(this.#active.active()) !== undefined
  }

  /** Adds a span to the active one for something that waits for nothing. */
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

  /** Adds a span to the active one for what is over already. */
  add(name: string, options: SpanOptions, end: TimeInput): void {
    this.#tracer.startSpan(name, options, this.#active.active()).end(end)
  }

  /** The place that headers name (W3C Trace Context); where they name none, or in another form, the start of a new trace. */
  placeIn(headers: object): Context {
    return this.#w3c.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  }

  /** The headers that name the active span. */
  headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {}
    this.#w3c.inject(this.#active.active(), headers, defaultTextMapSetter)
    return headers
  }
}

/** Marks what a span stands for as failed. */
export function fail(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error
}
