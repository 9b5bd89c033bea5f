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
import { recordMailEvent } from '../../../src/application/mail/record-mail-event.ts'
import { mailFatesContract } from '../../contracts/mail-outcomes.contract.ts'
import { issued, opened, PROVENANCE } from '../../contracts/stores.ts'
import { NOON } from '../../domain/examples.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'
import { MailOutcomesInCompany } from './in-company.ts'

/** Of the case that runs: all cases are serial. */
const open: Connections[] = []
const shared = new Map<string, number>()

mailFatesContract('prisma, in groups', async (committed) => {
  const connections = connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
  open.push(connections)
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

test.serial(
  'hard bounces of many subjects at once share statements, and suppress each address',
  async (t) => {
    const connections = connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
    open.push(connections)
    const { prisma, statements } = connections
    const stores = {
      stepUps: new PrismaStepUps(statements, SEALS),
      registry: new PrismaUserRegistry(prisma),
      trail: new PrismaAuditTrail(prisma),
      outbox: new PrismaOtpOutbox(statements, SEALS),
    }
    const mailOutcomes = new PrismaMailOutcomes(statements)
    const suppressions = new PrismaSuppressions(statements)
    const issuances = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const { id, subjectUserId } = await opened(stores, `bounced-${n}`)
        return { subjectUserId, id: (await issued(stores, id)).id }
      }),
    )
    const sent: string[] = []
    statements.onGrouped((name, members) => sent.push(`${name}: ${members}`))

    await Promise.all(
      issuances.map(({ id }) =>
        recordMailEvent(mailOutcomes, id, { outcome: 'bounced', kind: 'hard-bounce', at: NOON }, PROVENANCE),
      ),
    )

    t.true(sent.length < 10, sent.join())
    for (const { subjectUserId } of issuances) {
      t.like((await suppressions.findBySubject(subjectUserId))?.suppression, { reason: 'hard-bounce' })
    }
  },
)

test.after('reports in company have shared each kind of statement', (t) => {
  t.deepEqual([...shared.keys()].sort(), ['mail-outcomes.load', 'mail-outcomes.save'])
})

// Not at the end only: on a Citus, each case has sessions with each server.
test.afterEach.always('connections are closed', async () => {
  await Promise.all(open.splice(0).map(({ close }) => close()))
})
