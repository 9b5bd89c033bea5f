import { randomUUID } from 'node:crypto'
import test from 'ava'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { NewIssuances } from '../../../src/adapters/persistence-prisma/sharding/new-issuances.ts'
import { ShardedClaims } from '../../../src/adapters/persistence-prisma/sharding/sharded-claims.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'

/** Mails that wait, of which some are on a server that is away. A search reads before claims of the same moment write. */
function outbox(size: number) {
  const waiting = new Set(Array.from({ length: size }, () => randomUUID() as string))
  const away = new Set<string>()
  const statements = {
    async query({ text, values }: Prisma.Sql): Promise<never[]> {
      const found = [...waiting].slice(0, Number(values.at(-1))).map((id) => ({ bucket: 0, id }))
      await new Promise(setImmediate)
      if (text.includes('find-due')) return found as never[]
      const id = String(values[0])
      if (away.has(id)) throw new StorageUnavailable('away')
      return (waiting.delete(id) ? [{ id }] : []) as never[]
    },
  }
  const claims = (fresh?: NewIssuances) => {
    const claimOne = ({ id }: { readonly id: string }) => Prisma.sql`${id}`
    const claiming = { table: 'otp_issuances', claimOne, fresh } as const
    const sharded = new ShardedClaims<{ readonly id: string }>(statements, claiming)
    return (limit: number) => sharded.claim(limit, NOON, afterNoon(30))
  }
  return { waiting, away, claims }
}

test('processes that search at the same moment share out all that is due, each as much as it asked for', async (t) => {
  const { waiting, claims } = outbox(20)
  const ids = [...waiting]

  const shares = await Promise.all(Array.from({ length: 4 }, () => claims()(5)))

  t.deepEqual(
    shares.map((share) => share.length),
    [5, 5, 5, 5],
  )
  t.deepEqual(new Set(shares.flat().map(({ id }) => id)), new Set(ids))
})

test('a process that asks for more than is due gets what there is', async (t) => {
  const { claims } = outbox(3)

  t.is((await claims()(5)).length, 3)
  t.deepEqual(await claims()(5), [])
})

test('a process claims its own mails on other servers while one server is away', async (t) => {
  const { waiting, away, claims } = outbox(5)
  const fresh = new NewIssuances()
  for (const id of waiting) fresh.add(id)
  const [lost] = [...waiting] as [string]
  away.add(lost)

  const claimed = await claims(fresh)(5)

  t.is(claimed.length, 4)
  t.deepEqual([...waiting], [lost])
})

test('a claim that leads to nothing but a failure fails', async (t) => {
  const { waiting, away, claims } = outbox(1)
  for (const id of waiting) away.add(id)

  await t.throwsAsync(claims()(5), { instanceOf: StorageUnavailable })
})
