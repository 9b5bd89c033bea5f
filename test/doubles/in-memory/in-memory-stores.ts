import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { InMemoryAuditTrail } from './in-memory-audit-trail.ts'
import { InMemoryChallengeExpiries } from './in-memory-challenge-expiries.ts'
import { InMemoryIntruder } from './in-memory-intruder.ts'
import { InMemoryLockNotices } from './in-memory-lock-notices.ts'
import { InMemoryMailOutcomes } from './in-memory-mail-outcomes.ts'
import { InMemoryOtpOutbox } from './in-memory-otp-outbox.ts'
import { InMemoryRetention } from './in-memory-retention.ts'
import { InMemorySecurityNotices } from './in-memory-security-notices.ts'
import { InMemoryServiceEvents } from './in-memory-service-events.ts'
import { InMemoryStandings } from './in-memory-standings.ts'

import { InMemoryState } from './in-memory-state.ts'
import { InMemoryStepUps } from './in-memory-step-ups.ts'
import { InMemorySubjectRecords } from './in-memory-subject-records.ts'
import { InMemorySupportSearch } from './in-memory-support-search.ts'
import { InMemorySuppressions } from './in-memory-suppressions.ts'
import { InMemoryUserRegistry } from './in-memory-user-registry.ts'
import { InMemoryWebhookEndpoints } from './in-memory-webhook-endpoints.ts'

/** All storage ports over one state, with the events that they recorded. */
export function inMemoryStores(committed: CommitListener = () => {}) {
  const state = new InMemoryState(committed)
  return {
    stepUps: new InMemoryStepUps(state),
    registry: new InMemoryUserRegistry(state),
    outbox: new InMemoryOtpOutbox(state),
    lockNotices: new InMemoryLockNotices(state),
    securityNotices: new InMemorySecurityNotices(state),
    mailOutcomes: new InMemoryMailOutcomes(state),
    suppressions: new InMemorySuppressions(state),
    expiries: new InMemoryChallengeExpiries(state),
    standings: new InMemoryStandings(state),
    subjectRecords: new InMemorySubjectRecords(state),
    supportSearch: new InMemorySupportSearch(state),
    serviceEvents: new InMemoryServiceEvents(state),
    endpoints: new InMemoryWebhookEndpoints(state),
    trail: new InMemoryAuditTrail(state),
    retention: new InMemoryRetention(state),
    intruder: new InMemoryIntruder(state),
    events: state.events as readonly (typeof state.events)[number][],
  }
}
