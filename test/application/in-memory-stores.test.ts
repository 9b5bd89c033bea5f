import type { CommitListener } from '../../src/application/ports/commit-listener.ts'
import { auditTrailContract } from '../contracts/audit-trail.contract.ts'
import { challengeExpiriesContract } from '../contracts/challenge-expiries.contract.ts'
import { idsFromBeforeContract } from '../contracts/ids-from-before.contract.ts'
import { lockNoticesContract } from '../contracts/lock-notices.contract.ts'
import { mailFatesContract } from '../contracts/mail-outcomes.contract.ts'
import { mailboxBudgetContract } from '../contracts/mailbox-budget.contract.ts'
import { otpOutboxContract } from '../contracts/otp-outbox.contract.ts'
import { refusedCallsContract } from '../contracts/refused-calls.contract.ts'
import { reportableChallengesContract } from '../contracts/reportable-challenges.contract.ts'
import { retentionContract } from '../contracts/retention.contract.ts'
import { securityNoticesContract } from '../contracts/security-notices.contract.ts'
import { serviceEventsContract } from '../contracts/service-events.contract.ts'
import { standingsContract } from '../contracts/standings.contract.ts'

import { stepUpsContract } from '../contracts/step-ups.contract.ts'
import { supportSearchContract } from '../contracts/support-search.contract.ts'
import { suppressionsContract } from '../contracts/suppressions.contract.ts'
import { userRegistryContract } from '../contracts/user-registry.contract.ts'
import { inMemoryStores } from '../doubles/in-memory/in-memory-stores.ts'

const create = async (committed?: CommitListener) => inMemoryStores(committed)

stepUpsContract('in memory', create)
idsFromBeforeContract('in memory', create)
mailboxBudgetContract('in memory', create)
refusedCallsContract('in memory', create)
userRegistryContract('in memory', create)
otpOutboxContract('in memory', create)
auditTrailContract('in memory', create)
mailFatesContract('in memory', create)
suppressionsContract('in memory', create)
lockNoticesContract('in memory', create)
securityNoticesContract('in memory', create)
reportableChallengesContract('in memory', create)
retentionContract('in memory', create)
standingsContract('in memory', create)
supportSearchContract('in memory', create)
serviceEventsContract('in memory', create)
challengeExpiriesContract('in memory', create)
