import type { Call } from './ledger.ts'
import type { CheckResults, Evidence } from './reconciliation.ts'
import type { Part, TroubleLog } from './trouble-log.ts'

/** Only a trouble excuses a 503 or a missing answer. Nothing excuses another 5xx. */
export function outages({ ledger, log }: Evidence): CheckResults {
  const violations = ledger.calls.flatMap((call) => {
    const { step, requestId, status, failure, sentAt, endedAt } = call
    if (status === undefined) {
      return hasReason(call, log, [`instance ${call.instance}` as Part])
        ? []
        : [
            `${step} (${requestId}) had no answer of instance ${call.instance} (${failure}) at ${time(sentAt)}`,
          ]
    }
    if (status < 500) return []
    if (status !== 503) return [`${step} (${requestId}) was answered ${status} at ${time(endedAt)}`]
    return hasReason(call, log, ['database'])
      ? []
      : [`${step} (${requestId}) was answered 503 without a reason at ${time(endedAt)}`]
  })
  return { figures: {}, violations }
}

function hasReason({ sentAt, endedAt }: Call, log: TroubleLog, parts: readonly Part[]): boolean {
  return log.during(sentAt, endedAt, parts).length > 0
}

function time(at: number): string {
  return new Date(at).toISOString()
}
