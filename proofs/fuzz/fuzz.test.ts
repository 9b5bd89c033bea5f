import { randomInt } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { ApiDocument } from '../../test/support/api-document.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { almostRightRequests } from './almost-right-requests.ts'
import { fuzz } from './campaign.ts'
import { hostileRequests } from './hostile-requests.ts'
import { Palette } from './palette.ts'
import { rightRequests } from './right-requests.ts'
import type { World } from './world.ts'

/** The campaign ends after the round that reaches this number, so it makes some more. */
const REQUESTS = 700

/** The short form of `npm run fuzz`. */
test('whatever it is asked, it answers what is documented, tells no secret and holds on to nothing', async (t) => {
  t.timeout(300_000)
  const { url: databaseUrl } = await createTestDatabase()
  const seed = randomInt(2 ** 30)

  const { findings, requests, byOperation } = await fuzz({ databaseUrl, requests: REQUESTS, seed })

  t.log(`${requests} requests: npm run fuzz -- --requests ${REQUESTS} --seed ${seed}`)
  t.deepEqual(findings, [])
  const operations = Object.values(ApiDocument.read().document.paths).flatMap((methods) =>
    Object.values(methods),
  )
  t.deepEqual(
    operations.map(({ operationId }) => operationId).filter((each) => !byOperation.has(each)),
    [],
  )
})

const PERSON = { userId: 'alice', address: 'alice@example.com', token: 'user.alice' }
const WORLD: World = {
  services: { payments: 'client.payments', cards: 'client.cards', withoutScope: 'client.statements' },
  people: [PERSON],
  scenes: ['123456', undefined].map((code) => ({
    ...{ state: 'issued', person: PERSON, signature: 'a.b.c', digest: 'A'.repeat(43), code },
    ...{
      challengeId: '0197a000-0000-7000-8000-0000000000c1',
      issuanceId: '0197a000-0000-7000-8000-0000000000c2',
    },
    ...{ openKey: 'k1', consumeKey: 'k2', demand: { subjectUserId: 'alice' } },
  })),
  ...{ tags: ['"t"'], now: '2030-01-01T12:00:00.000Z' },
}

test('a seed makes the same requests again, and another seed makes others', (t) => {
  const requestsOf = (seed: number) => {
    const palette = new Palette(ApiDocument.read(), seed)
    const all = fc.oneof(
      rightRequests(palette, WORLD),
      almostRightRequests(palette, WORLD, [['garbage', 'Bearer x']]),
      hostileRequests(palette, WORLD),
    )
    return fc.sample(all, { seed, numRuns: 100 })
  }

  t.deepEqual(requestsOf(1), requestsOf(1))
  t.notDeepEqual(requestsOf(1), requestsOf(2))
})
