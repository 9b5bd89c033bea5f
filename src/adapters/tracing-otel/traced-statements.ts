import { SpanKind, type SpanOptions } from '@opentelemetry/api'
import type { Spans } from './spans.ts'

/**
 * A span for each statement of something that is traced, by the name that the statement has in the logs of the server as well.
 * What a job asks for over and over, such as a claim that finds nothing, is in no trace and begins none.
 */
export function tracedStatements(spans: Spans) {
  return <Result>(name: string, run: () => Promise<Result>): Promise<Result> => {
    if (!spans.isActive()) return run()
    return spans.within(name, inDatabase(name), async (span) => {
      const result = await run()
      // None of a save is a race that was lost, which is no error: the decision is made again.
      if (Array.isArray(result)) span.setAttribute('db.response.returned_rows', result.length)
      return result
    })
  }
}

/** A call to PostgreSQL. Of parameters it says nothing. */
export function inDatabase(statement: string): SpanOptions {
  return {
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': statement },
  }
}
