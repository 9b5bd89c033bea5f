import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { PrismaAuditTrail } from '../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaWebhookEndpoints } from '../../src/adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { PAYMENTS } from '../contracts/service-events.contract.ts'
import { consumed, issued, opened, type Stores, verified } from '../contracts/stores.ts'
import { until } from '../journeys/client.ts'
import { createTestDatabase, query } from '../support/database.ts'
import { SEALS } from '../support/seals.ts'
import { receiver } from '../support/webhook-deliveries.ts'
import type { DelivererSettings, Step } from './deliverer-process.ts'

/* Real processes on one database, which post to a real receiver. Each is killed as the machine of an operator would be. */

const ORDER = ['challenge-opened', 'otp-issued', 'challenge-verified', 'challenge-consumed']
const STEPS: readonly Step[] = [
  'after the numbering',
  'before the claim',
  'after the claim',
  'before the post',
  'after the post',
  'before the record',
  'after the record',
]
/** The examples of the domain happen in 2030. */
const UNTIL_2031 = Math.ceil((Date.UTC(2031, 0) - Date.now()) / 1000)
/** Longer than the lease of a process that has died. */
const LEASE_LATER = UNTIL_2031 + 3600

interface Received {
  readonly id: string
  readonly challengeId: string
  readonly type: string
}

async function registered(t: ExecutionContext, delayInMs = 0) {
  const { url } = await createTestDatabase()
  const { prisma, statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  const { url: endpointUrl, received } = await receiver(
    t,
    (_, response) => void setTimeout(() => response.writeHead(204).end(), delayInMs),
  )
  /** What the service has got so far, in its order. */
  const got = (): readonly Received[] =>
    received.map(({ headers, body }) => {
      const { data, type } = JSON.parse(body)
      const id = String(headers['webhook-id'])
      return { id, challengeId: data.challengeId, type: type.slice('countersign.'.length) }
    })
  const stores: Stores = {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
  }
  await new PrismaWebhookEndpoints(statements).save({ ...PAYMENTS, url: endpointUrl }, undefined)
  const unfinished = async () => {
    const [row] = await query(url, `SELECT count(*)::int AS n FROM service_events WHERE finished_at IS NULL`)
    return (row as { n: number }).n
  }
  return { url, statements, stores, got, unfinished }
}

/** The whole life of a challenge. */
async function confirm(stores: Stores): Promise<string> {
  const { id } = await opened(stores)
  await issued(stores, id)
  await verified(stores, id)
  await consumed(stores, id)
  return id
}

async function startDeliverer(t: ExecutionContext, settings: DelivererSettings): Promise<ChildProcess> {
  const child = fork(
    fileURLToPath(new URL('deliverer-process.ts', import.meta.url)),
    [JSON.stringify(settings)],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

for (const step of STEPS) {
  test.serial(
    `a process killed ${step} of an event loses none, and another one repeats that event at most`,
    async (t) => {
      const { url, stores, got, unfinished } = await registered(t)
      const id = await confirm(stores)
      const diesAt = { step, type: 'otp-issued' } as const
      const first = fork(
        fileURLToPath(new URL('deliverer-process.ts', import.meta.url)),
        [JSON.stringify({ databaseUrl: url, clockAheadInSeconds: UNTIL_2031, diesAt })],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
      )
      const [, signal] = await once(first, 'exit')
      t.is(signal, 'SIGKILL')

      const second = await startDeliverer(t, { databaseUrl: url, clockAheadInSeconds: LEASE_LATER })
      await until(unfinished, (n) => n === 0)
      await kill(second)

      const types = got().map(({ type }) => type)
      t.deepEqual(
        types.filter((type, n) => type !== types[n - 1]),
        ORDER,
      )
      t.true(types.length <= ORDER.length + 1, types.join())
      t.deepEqual(new Set(got().map(({ challengeId }) => challengeId)), new Set([id]))
      t.is(new Set(got().map((each) => each.id)).size, ORDER.length)
      const twice = types.filter((type, n) => type === types[n - 1])
      t.deepEqual(twice, ['after the post', 'before the record'].includes(step) ? ['otp-issued'] : [])
    },
  )
}

test.serial(
  'of two processes that are killed again and again, none loses an event or its order',
  async (t) => {
    const { url, stores, got, unfinished } = await registered(t, 5)
    const challenges: string[] = []
    const kills = 8
    let storing = true
    const stored = (async () => {
      for (let n = 0; n < 40; n++) challenges.push(await confirm(stores))
      storing = false
    })()
    const settings = { databaseUrl: url, clockAheadInSeconds: UNTIL_2031 }
    let running = await Promise.all([1, 2].map(() => startDeliverer(t, settings)))
    for (let n = 0; n < kills; n++) {
      const seen = got().length
      const more = 1 + Math.floor(Math.random() * 8)
      await until(
        async () => got().length >= seen + more || !storing,
        (enough) => enough,
      )
      const [oldest, ...others] = running
      await kill(oldest!)
      running = [...others, await startDeliverer(t, settings)]
    }
    await stored
    await Promise.all(running.map(kill))

    // Whatever the dead had leased.
    const last = await startDeliverer(t, { databaseUrl: url, clockAheadInSeconds: LEASE_LATER })
    await until(unfinished, (n) => n === 0)
    await kill(last)

    for (const id of challenges) {
      const types = got()
        .filter(({ challengeId }) => challengeId === id)
        .map(({ type }) => type)
      t.deepEqual(
        types.filter((type, n) => type !== types[n - 1]),
        ORDER,
        types.join(),
      )
    }
    const events = challenges.length * ORDER.length
    t.is(new Set(got().map(({ id }) => id)).size, events)
    // Each death repeats what that process had under way: at most eight events, one of each challenge.
    t.true(got().length <= events + (kills + 2) * 8)
    t.log(`${got().length - events} of ${events} events came twice after ${kills + 2} kills`)
  },
)

test.serial(
  'a service that never answers holds up no other, and has eight requests of a process at most',
  async (t) => {
    const { url, stores, got, unfinished } = await registered(t)
    let asked = 0
    const slow = await receiver(t, () => void asked++)
    const { statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
    t.teardown(close)
    const endpoints = new PrismaWebhookEndpoints(statements)
    for (const clientId of ['a-slow-one', 'z-slow-one']) {
      await endpoints.save({ ...PAYMENTS, clientId, url: slow.url }, undefined)
      for (let n = 0; n < 30; n++) await opened(stores, undefined, undefined, clientId)
    }
    const deliverer = await startDeliverer(t, { databaseUrl: url, clockAheadInSeconds: UNTIL_2031 })
    await until(
      async () => asked,
      (n) => n === 16,
    )

    const since = performance.now()
    for (let n = 0; n < 10; n++) await confirm(stores)
    await until(unfinished, (n) => n === 60)
    const seconds = (performance.now() - since) / 1000
    await kill(deliverer)

    t.is(got().length, 40)
    t.is(asked, 16)
    // The slow ones still have theirs: a request to them ends after 15 seconds.
    t.true(seconds < 15, `${seconds} s`)
  },
)
