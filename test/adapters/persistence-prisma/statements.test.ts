import { AsyncLocalStorage } from 'node:async_hooks'
import test, { type ExecutionContext } from 'ava'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { FewStatements } from '../../../src/adapters/persistence-prisma/connection/few-statements.ts'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { recordMailEvent } from '../../../src/application/mail/record-mail-event.ts'
import type { StatementHook } from '../../../src/contracts/statement-hook.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { issued, opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { createTestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const HELLO = Prisma.sql`/* test.hello */ SELECT 'hello' AS said`

type Around = StatementHook['around']

/** A database whose statements run within a hook. */
async function hooked(t: ExecutionContext, around: Around, parameters = '') {
  const { url } = await createTestDatabase()
  const hook: StatementHook = {
    around,
    keepContext: () => AsyncLocalStorage.snapshot(),
    aroundGroup: (name, _, run) => around(name, run),
  }
  const connections = connectPrisma({ url: `${url}${parameters}`, onConnectionLost: () => {}, hook })
  t.teardown(connections.close)
  return connections
}

for (const [where, parameters] of [
  ['on a session of its own', ''],
  ['behind PgBouncer', '?pgbouncer=true'],
] as const) {
  test(`${where}, a named statement runs within the hook, and one without a name outside`, async (t) => {
    const names: string[] = []
    const around: Around = (name, run) => {
      names.push(name)
      return run()
    }
    const { statements } = await hooked(t, around, parameters)

    t.deepEqual(await statements.query(HELLO), [{ said: 'hello' }])
    t.deepEqual(await statements.query(Prisma.sql`SELECT 1 AS one`), [{ one: 1 }])

    t.deepEqual(names, ['test.hello'])
  })
}

test('the hook sees what comes of a statement', async (t) => {
  const seen: unknown[] = []
  const { statements } = await hooked(t, async (_, run) => {
    const result = await run().catch((error: unknown) => {
      seen.push(error)
      throw error
    })
    seen.push(result)
    return result
  })

  await statements.query(HELLO)
  const error = await t.throwsAsync(statements.query(Prisma.sql`/* test.mistake */ SELECT nothing`))

  t.deepEqual(seen, [[{ said: 'hello' }], error])
})

test('what the mail system reports goes through the hook, statement by statement', async (t) => {
  const names: string[] = []
  const { prisma, statements } = await hooked(t, (name, run) => {
    names.push(name)
    return run()
  })
  const stores = {
    stepUps: new PrismaStepUps(statements, SEALS),
    outbox: new PrismaOtpOutbox(statements, SEALS),
  }
  const all = { ...stores, registry: new PrismaUserRegistry(prisma), trail: { eventsOf: async () => [] } }
  const { id, subjectUserId } = await opened(all)
  const { id: issuanceId } = await issued(all, id)
  names.length = 0

  const bounce = { outcome: 'bounced', kind: 'hard-bounce', at: NOON } as const
  await recordMailEvent(new PrismaMailOutcomes(statements), issuanceId, bounce, PROVENANCE)
  const suppressions = new PrismaSuppressions(statements)
  await suppressions.findByMailbox(EmailAddress.mailboxKey(ALICE))
  await suppressions.save((await suppressions.findBySubject(subjectUserId))!, [], PROVENANCE)

  t.deepEqual(names, [
    ...['mail-outcomes.load', 'mail-outcomes.save'],
    ...['suppressions.find-by-mailbox', 'suppressions.find-by-subject', 'suppressions.save'],
  ])
})

test('outcomes that share a statement are each within the hook, and the statement is part of none of them', async (t) => {
  const context = new AsyncLocalStorage<string>()
  const ran: [name: string, within: string | undefined][] = []
  const { prisma, statements } = await hooked(t, (name, run) => {
    ran.push([name, context.getStore()])
    return run()
  })
  const stepUps = new PrismaStepUps(statements, SEALS)
  const outbox = new PrismaOtpOutbox(statements, SEALS)
  const registry = new PrismaUserRegistry(prisma)
  const stores = { stepUps, outbox, registry, trail: { eventsOf: async () => [] } }
  for (let n = 0; n < 3; n++) await issued(stores, (await opened(stores)).id)
  const deliveries = await outbox.claim(3, NOON, afterNoon(30))
  ran.length = 0

  await Promise.all(
    deliveries.map(({ issuance }, n) =>
      context.run(`delivery ${n}`, () =>
        outbox.record(issuance, ...OtpIssuance.markSent(issuance, 'm', NOON)),
      ),
    ),
  )

  t.true(ran.every(([name]) => name === 'otp-outbox.record'))
  t.deepEqual(
    ran.map(([, within]) => within),
    ['delivery 0', 'delivery 1', 'delivery 2', undefined],
  )
})

test('few statements at a time leave connections to those that come later', async (t) => {
  const { url } = await createTestDatabase()
  const connections = connectPrisma({ url, poolSize: 3, onConnectionLost: () => {} })
  t.teardown(connections.close)
  const few = new FewStatements(connections.statements, 2)
  let ended = 0
  const many = Array.from({ length: 20 }, () =>
    few.query(Prisma.sql`/* test.sleep */ SELECT pg_sleep(0.05)`).then(() => (ended += 1)),
  )

  t.deepEqual(await connections.statements.query(HELLO), [{ said: 'hello' }])

  t.true(ended <= 4, `${ended} of 20 came first`)
  await Promise.all(many)
})

test('a statement that fails gives its place to the next one', async (t) => {
  const { statements } = await hooked(t, (_, run) => run())
  const few = new FewStatements(statements, 1)

  const failed = Array.from({ length: 3 }, () => few.query(Prisma.sql`/* test.fail */ SELECT 1 / 0`))

  t.deepEqual(await few.query(HELLO), [{ said: 'hello' }])
  t.true((await Promise.allSettled(failed)).every(({ status }) => status === 'rejected'))
})
