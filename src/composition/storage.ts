import { ContainerModule } from 'inversify'
import { PrismaAuditTrail } from '../adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { connectPrisma } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import { DatabaseHealth } from '../adapters/persistence-prisma/connection/database-health.ts'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaClient } from '../adapters/persistence-prisma/generated/client.ts'
import { PrismaLockNotices } from '../adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaMailOutcomes } from '../adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaOutboxBacklog } from '../adapters/persistence-prisma/otp-outbox/prisma-outbox-backlog.ts'
import { PrismaRetention } from '../adapters/persistence-prisma/retention/prisma-retention.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { AuditTrail } from '../application/ports/audit-trail.ts'
import { LockNotices } from '../application/ports/lock-notices.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { OtpOutbox } from '../application/ports/otp-outbox.ts'
import { Retention } from '../application/ports/retention.ts'
import { Suppressions } from '../application/ports/suppressions.ts'
import { OutboxBacklog } from '../contracts/outbox-backlog.ts'
import { bindClass, bindPort } from './bind-class.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Commits, Log, StorageConnections, Traces } from './container-keys.ts'

/** The ports that store, in PostgreSQL. Nothing connects before the first query. */
export function storage({ databaseUrl }: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(StorageConnections).toResolvedValue(
      (logger, tracing) =>
        connectPrisma({
          url: databaseUrl,
          onConnectionLost: (error) => logger.warn({ err: error }, 'database connection lost'),
          hook: tracing?.statements,
        }),
      [Log, Traces],
    )
    bind(PrismaClient).toResolvedValue(({ prisma }) => prisma, [StorageConnections])
    bind(Statements).toResolvedValue(({ statements }) => statements, [StorageConnections])

    bindClass(bind, PrismaStepUps, [Statements, Commits])
    bindPort(bind, OtpOutbox, PrismaOtpOutbox, [Statements, Commits])
    bindPort(bind, LockNotices, PrismaLockNotices, [Statements, Commits])
    bindPort(bind, MailOutcomes, PrismaMailOutcomes, [Statements, Commits])
    bindPort(bind, Suppressions, PrismaSuppressions, [Statements, Commits])
    bindPort(bind, OutboxBacklog, PrismaOutboxBacklog, [PrismaClient])
    bindPort(bind, AuditTrail, PrismaAuditTrail, [PrismaClient])
    bindPort(bind, Retention, PrismaRetention, [PrismaClient])
    bindClass(bind, DatabaseHealth, [PrismaClient])
  })
}
