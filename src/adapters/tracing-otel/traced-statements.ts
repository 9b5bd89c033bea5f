import { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, SpanKind, type SpanOptions } from '@opentelemetry/api'
import type { StatementHook } from '../../contracts/statement-hook.ts'
import type { Spans } from './spans.ts'

/**
 * Makes a span for each statement within a trace. The span has the name that the statement has in the logs of PostgreSQL.
 * A statement outside a trace starts no trace: jobs repeat theirs all the time, such as a claim that finds nothing. A statement
 * that several requests share has a trace of its own. Its span and those of the requests link to each other.
 */
export function tracedStatements(spans: Spans): StatementHook {
  return {
    async around(name, run) {
      if (!spans.active()) return run()
      return spans.within(name, inDatabase(name), async (span) => {
        const result = await run()
        // A save that returns no row has lost a race. The span is not an error, because the service decides again.
        if (Array.isArray(result)) span.setAttribute('db.response.returned_rows', result.length)
        return result
      })
    },
    keepContext: () => AsyncLocalStorage.snapshot(),
    async aroundGroup(name, callers, run) {
      const members = callers.flatMap((inContext) => inContext(() => spans.active()) ?? [])
      if (members.length === 0) return run()
      const { kind, attributes } = inDatabase(name)
      const options = {
        ...{
          kind,
          parent: ROOT_CONTEXT,
          links: members.map((member) => ({ context: member.spanContext() })),
        },
        attributes: { ...attributes, 'db.operation.batch.size': callers.length },
      }
      return spans.within(name, options, (span) => {
        for (const member of members) member.addLink({ context: span.spanContext() })
        return run()
      })
    },
  }
}

/** The options of a span for a call to PostgreSQL. They include no parameters. */
export function inDatabase(statement: string) {
  return {
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': statement },
  } satisfies SpanOptions
}
