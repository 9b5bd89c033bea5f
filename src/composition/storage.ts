import { ContainerModule } from 'inversify'
import { LoggedStepUps } from '../adapters/log-pino/logged-step-ups.ts'
import { MeasuredLockNotices } from '../adapters/metrics-prometheus/measured-lock-notices.ts'
import { MeasuredMailOutcomes } from '../adapters/metrics-prometheus/measured-mail-outcomes.ts'
import { MeasuredOtpOutbox } from '../adapters/metrics-prometheus/measured-otp-outbox.ts'
import { MeasuredStepUps } from '../adapters/metrics-prometheus/measured-step-ups.ts'
import { MeasuredSuppressions } from '../adapters/metrics-prometheus/measured-suppressions.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
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
import { Log, StorageConnections, Traces } from './container-keys.ts'

/** Everything that is stored, in PostgreSQL. Nothing connects before the first query. */
export function storage({ databaseUrl }: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(StorageConnections).toResolvedValue(
      (logger) =>
        connectPrisma({
          url: databaseUrl,
          onConnectionLost: (error) => logger.warn({ err: error }, 'database connection lost'),
        }),
      [Log],
    )
    bind(PrismaClient).toResolvedValue(({ prisma }) => prisma, [StorageConnections])
    bind(Statements).toResolvedValue(({ statements }) => statements, [StorageConnections])

    bind(MeasuredStepUps).toResolvedValue(
      (statements, metrics, tracing, logger) => {
        const stepUps = new PrismaStepUps(statements)
        return new MeasuredStepUps(new LoggedStepUps(tracing?.stepUps(stepUps) ?? stepUps, logger), metrics)
      },
      [Statements, Metrics, Traces, Log],
    )
    bind(OtpOutbox).toResolvedValue(
      (statements, metrics, tracing) => {
        const outbox = new PrismaOtpOutbox(statements)
        return new MeasuredOtpOutbox(tracing?.otpOutbox(outbox) ?? outbox, metrics)
      },
      [Statements, Metrics, Traces],
    )
    bind(LockNotices).toResolvedValue(
      (statements, metrics) => new MeasuredLockNotices(new PrismaLockNotices(statements), metrics),
      [Statements, Metrics],
    )
    bind(MailOutcomes).toResolvedValue(
      (prisma, metrics) => new MeasuredMailOutcomes(new PrismaMailOutcomes(prisma), metrics),
      [PrismaClient, Metrics],
    )
    bind(Suppressions).toResolvedValue(
      (prisma, metrics) => new MeasuredSuppressions(new PrismaSuppressions(prisma), metrics),
      [PrismaClient, Metrics],
    )
    bindPort(bind, OutboxBacklog, PrismaOutboxBacklog, [PrismaClient])
    bindPort(bind, AuditTrail, PrismaAuditTrail, [PrismaClient])
    bindPort(bind, Retention, PrismaRetention, [PrismaClient])
    bindClass(bind, DatabaseHealth, [PrismaClient])
  })
}
