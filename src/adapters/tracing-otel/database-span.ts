import { SpanKind, type SpanOptions } from '@opentelemetry/api'

/** A call to PostgreSQL, by the name that its statement has in the logs of the server as well. Of parameters it says nothing. */
export function inDatabase(statement: string): SpanOptions {
  return {
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': statement },
  }
}
