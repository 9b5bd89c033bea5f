import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { mailFatesContract } from '../../contracts/mail-outcomes.contract.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'
import { MailOutcomesInCompany } from './in-company.ts'

const all: Connections[] = []
const shared = new Map<string, number>()

mailFatesContract('prisma, in groups', async (committed) => {
  const { url } = await createBucketedDatabase()
  const connections = connectPrisma({ url, onConnectionLost: () => {} })
  all.push(connections)
  const { prisma, statements } = connections
  statements.onGrouped((name, members) => {
    if (members > 1) shared.set(name, (shared.get(name) ?? 0) + 1)
  })
  return {
    stepUps: new PrismaStepUps(statements, SEALS, committed),
    registry: new PrismaUserRegistry(prisma, committed),
    outbox: new PrismaOtpOutbox(statements, SEALS, committed),
    trail: new PrismaAuditTrail(prisma),
    mailOutcomes: new MailOutcomesInCompany(new PrismaMailOutcomes(statements, committed)),
    suppressions: new PrismaSuppressions(statements, committed),
  }
})

test.after('reports in company have shared each kind of statement', (t) => {
  t.deepEqual([...shared.keys()].sort(), ['mail-outcomes.load', 'mail-outcomes.save'])
})

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})
