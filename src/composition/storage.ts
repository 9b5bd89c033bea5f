import { ContainerModule } from 'inversify'
import { PrismaAuditTrail } from '../adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { PrismaTrailAnchors } from '../adapters/persistence-prisma/audit-trail/prisma-trail-anchors.ts'
import { DatabaseHealth } from '../adapters/persistence-prisma/connection/database-health.ts'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaClient } from '../adapters/persistence-prisma/generated/client.ts'
import { PrismaMailOutcomes } from '../adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOutboxBacklog } from '../adapters/persistence-prisma/otp-outbox/prisma-outbox-backlog.ts'
import { PrismaRetention } from '../adapters/persistence-prisma/retention/prisma-retention.ts'
import { RowSeals } from '../adapters/persistence-prisma/seals/row-seals.ts'
import { PrismaServiceEventBacklog } from '../adapters/persistence-prisma/service-events/prisma-service-event-backlog.ts'
import { PrismaReportableChallenges } from '../adapters/persistence-prisma/step-ups/prisma-reportable-challenges.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaStandings } from '../adapters/persistence-prisma/support/prisma-standings.ts'
import { PrismaSubjectRecords } from '../adapters/persistence-prisma/support/prisma-subject-records.ts'
import { PrismaSupportSearch } from '../adapters/persistence-prisma/support/prisma-support-search.ts'
import { AuditTrail } from '../application/ports/audit-trail.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { ReportableChallenges } from '../application/ports/reportable-challenges.ts'
import { Retention } from '../application/ports/retention.ts'
import { Standings } from '../application/ports/standings.ts'
import { SubjectRecords } from '../application/ports/subject-records.ts'
import { SupportSearch } from '../application/ports/support-search.ts'
import { Suppressions } from '../application/ports/suppressions.ts'
import { TrailAnchors } from '../application/ports/trail-anchors.ts'
import { OutboxBacklog } from '../contracts/outbox-backlog.ts'
import { ServiceEventBacklog } from '../contracts/service-event-backlog.ts'
import { bindClass, bindPort } from './bind-class.ts'
import { Commits, StorageConnections } from './container-keys.ts'

/** The ports with which requests store, in PostgreSQL. */
export function storage(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindClass(bind, PrismaStepUps, [Statements, RowSeals, Commits])
    bindPort(bind, MailOutcomes, PrismaMailOutcomes, [Statements, Commits])
    bindPort(bind, Suppressions, PrismaSuppressions, [Statements, Commits])
    bindPort(bind, Standings, PrismaStandings, [Statements, Commits])
    bindPort(bind, SubjectRecords, PrismaSubjectRecords, [PrismaClient])
    bindPort(bind, SupportSearch, PrismaSupportSearch, [Statements])
    bindPort(bind, OutboxBacklog, PrismaOutboxBacklog, [PrismaClient])
    bindPort(bind, ServiceEventBacklog, PrismaServiceEventBacklog, [PrismaClient])
    bindPort(bind, AuditTrail, PrismaAuditTrail, [PrismaClient])
    bindPort(bind, ReportableChallenges, PrismaReportableChallenges, [PrismaClient])
    bindPort(bind, Retention, PrismaRetention, [PrismaClient])
    bind(TrailAnchors).toResolvedValue((prisma) => new PrismaTrailAnchors(prisma), [PrismaClient])
    bindClass(bind, DatabaseHealth, [StorageConnections])
  })
}
