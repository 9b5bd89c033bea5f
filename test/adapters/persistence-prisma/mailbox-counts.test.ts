import { hash } from 'node:crypto'
import test from 'ava'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { MailboxCounts } from '../../../src/adapters/persistence-prisma/sharding/mailbox-counts.ts'
import { bucketOf } from '../../../src/domain/bucket.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { ALICE, NOON } from '../../domain/examples.ts'
import { createCitusLookalike } from '../../support/citus-lookalike.ts'
import { waitsForLock } from '../../support/lock-waits.ts'

test('two sessions that count the first codes of a mailbox both find room', async (t) => {
  const connections = connectPrisma({ ...(await createCitusLookalike()), onConnectionLost: () => {} })
  t.teardown(() => connections.close())
  const { prisma, statements } = connections
  const counts = new MailboxCounts(statements, statements.nodes!)
  const key = EmailAddress.mailboxKey(ALICE)

  const counted = await prisma.$transaction(async (other) => {
    await other.$executeRaw`
      INSERT INTO mailbox_issuances (bucket, mailbox, issued_at)
      VALUES (${bucketOf(key)}::integer, decode(${hash('sha256', key)}, 'hex'), ARRAY[${NOON}::timestamptz])`
    const counting = counts.count({ key, atMost: 2 }, NOON)
    await waitsForLock({ prisma, statements: { ...statements, sharding: 'none' } as typeof statements })
    return { counting }
  })

  t.deepEqual(await counted.counting, { counted: true })
  t.like(await counts.count({ key, atMost: 2 }, NOON), { counted: false })
})
