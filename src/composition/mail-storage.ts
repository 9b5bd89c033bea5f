import { ContainerModule } from 'inversify'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaClient } from '../adapters/persistence-prisma/generated/client.ts'
import { PrismaLockNotices } from '../adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaMailOutcomes } from '../adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaOtpOutbox } from '../adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { RowSeals } from '../adapters/persistence-prisma/seals/row-seals.ts'
import { PrismaSecurityNotices } from '../adapters/persistence-prisma/security-notices/prisma-security-notices.ts'
import { NewIssuances } from '../adapters/persistence-prisma/sharding/new-issuances.ts'
import { PrismaChallengeExpiries } from '../adapters/persistence-prisma/step-ups/prisma-challenge-expiries.ts'
import { ChallengeExpiries } from '../application/ports/challenge-expiries.ts'
import { LockNotices } from '../application/ports/lock-notices.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { OtpOutbox } from '../application/ports/otp-outbox.ts'
import { SecurityNotices } from '../application/ports/security-notices.ts'
import { bindClass, bindPort } from './bind-class.ts'
import { Commits } from './container-keys.ts'

/** The ports with which a mail thread stores: what becomes of a mail, and the challenges that the clock has ended. */
export function mailStorage(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindClass(bind, NewIssuances, [])
    bindPort(bind, OtpOutbox, PrismaOtpOutbox, [Statements, RowSeals, Commits, NewIssuances])
    bindPort(bind, LockNotices, PrismaLockNotices, [Statements, Commits])
    bindPort(bind, SecurityNotices, PrismaSecurityNotices, [Statements, Commits])
    bindPort(bind, MailOutcomes, PrismaMailOutcomes, [Statements, Commits])
    bindPort(bind, ChallengeExpiries, PrismaChallengeExpiries, [PrismaClient, Commits])
  })
}
