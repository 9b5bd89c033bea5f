import { SpanKind, type SpanOptions } from '@opentelemetry/api'
import type { Spans } from './spans.ts'

/**
 * Makes a span for each statement within a trace. The span has the name that the statement has in the logs of PostgreSQL.
 * A statement outside a trace starts no trace: jobs repeat theirs all the time, such as a claim that finds nothing.
 */
export function tracedStatements(spans: Spans) {
  return <Result>(name: string, run: () => Promise<Result>): Promise<Result> => {
    if (!spans.isActive()) return run()
    return spans.within(name, inDatabase(name), async (span) => {
      const result = await run()
      // A save that returns no row has lost a race. The span is not an error, because the service decides again.
      if (Array.isArray(result)) span.setAttribute('db.response.returned_rows', result.length)
      return result
    })
  }
}

/** The options of a span for a call to PostgreSQL. They include no parameters. */
export function inDatabase(statement: string): SpanOptions {
  return {
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': statement },
  }
}
