import test from 'ava'
import pg from 'pg'
import { v7 } from 'uuid'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import type { Statements } from '../../../src/adapters/persistence-prisma/connection/statements.ts'
import type { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaRetention } from '../../../src/adapters/persistence-prisma/retention/prisma-retention.ts'
import { PrismaServiceEventBacklog } from '../../../src/adapters/persistence-prisma/service-events/prisma-service-event-backlog.ts'
import { PrismaServiceEvents } from '../../../src/adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { PrismaWebhookEndpoints } from '../../../src/adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { PrismaChallengeExpiries } from '../../../src/adapters/persistence-prisma/step-ups/prisma-challenge-expiries.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { SERVICE_EVENT_TYPES } from '../../../src/domain/service-event.ts'
import { challengeExpiriesContract } from '../../contracts/challenge-expiries.contract.ts'
import { PAYMENTS, serviceEventsContract } from '../../contracts/service-events.contract.ts'
import { consumed, issued, opened, PROVENANCE, verified } from '../../contracts/stores.ts'
import { afterNoon, NOON, POLICY, TRANSFER } from '../../domain/examples.ts'
import { createTestDatabase, query } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

async function connect(committed?: CommitListener) {
  const database = await createTestDatabase()
  const { url } = database
  const connections = connectPrisma({ ...database, onConnectionLost: () => {} })
  all.push(connections)
  const { prisma, statements } = connections
  return {
    ...{ url, prisma, statements },
    stepUps: new PrismaStepUps(statements, SEALS, committed),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
    serviceEvents: new PrismaServiceEvents(statements),
    expiries: new PrismaChallengeExpiries(prisma, committed),
    endpoints: new PrismaWebhookEndpoints(statements),
  }
}

serviceEventsContract('prisma', () => connect())
challengeExpiriesContract('prisma', connect)

const room = (perEndpoint = 50) => ({ perEndpoint, taken: new Map<string, number>() })

test('an event that commits late gets its position late, so no cursor passes over it', async (t) => {
  const { url, serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  const { id, subjectUserId } = await opened(stores)
  await serviceEvents.number(100)
  const late = new pg.Client({ connectionString: url })
  await late.connect()
  t.teardown(() => late.end())
  await late.query('BEGIN')
  await late.query(
    `INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
     VALUES (bucket_of($2), $1, $2, 'otp-rejected', now(), 'user:alice', '{"attemptsRemaining": 4}')`,
    [id, subjectUserId],
  )
  await opened(stores)
  await serviceEvents.number(100)
  const seen = await serviceEvents.after('payments', 0, 100)
  t.is(seen.length, 2)

  await late.query('COMMIT')
  await serviceEvents.number(100)

  const rest = await serviceEvents.after('payments', seen.at(-1)!.position, 100)
  t.deepEqual(
    rest.map(({ type }) => type),
    ['otp-rejected'],
  )
})

test('an event of a decision that is not stored is not queued', async (t) => {
  const { url, serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  const { id, subjectUserId } = await opened(stores)

  await query(
    url,
    'BEGIN',
    `INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
     VALUES (bucket_of('${subjectUserId}'), '${id}', '${subjectUserId}', 'challenge-exhausted', now(), 'user:alice', '{}')`,
    'ROLLBACK',
  )

  t.is(await serviceEvents.number(100), 1)
})

test('after a restore from a backup, events get positions behind all that a service has read before', async (t) => {
  const { url, serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  for (let n = 0; n < 50; n++) await opened(stores)
  await serviceEvents.number(100)
  const cursor = (await serviceEvents.after('payments', 0, 100)).at(-1)!.position

  // What the backup does not have.
  await query(url, 'DELETE FROM service_events WHERE event_id > (SELECT min(event_id) FROM service_events)')
  await opened(stores)
  await serviceEvents.number(100)

  t.is((await serviceEvents.after('payments', cursor, 100)).length, 1)
})

test('many sessions that store, number and read at once leave no cursor with a gap', async (t) => {
  const { serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  let storing = true
  const seen: string[] = []
  const numbering = Array.from({ length: 3 }, async () => {
    while (storing) await serviceEvents.number(5)
  })
  const reading = (async () => {
    for (let position = 0, last = false; ; ) {
      const page = await serviceEvents.after('payments', position, 7)
      seen.push(...page.map(({ id }) => id))
      position = page.at(-1)?.position ?? position
      if (page.length === 0 && last) return
      if (page.length > 0 || storing) continue
      // Another one at work leaves it nothing to number either.
      await Promise.all(numbering)
      last = (await serviceEvents.number(1000)) === 0
    }
  })()
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      const { id } = await opened(stores)
      await issued(stores, id)
      await verified(stores, id)
    }),
  )
  storing = false
  await Promise.all([reading, ...numbering])

  t.is(seen.length, 120)
  t.is(new Set(seen).size, 120)
  const all = await serviceEvents.after('payments', 0, 1000)
  t.deepEqual(
    all.map(({ id }) => id),
    seen,
  )
})

test('deliveries that race for events of few challenges keep the order of each', async (t) => {
  const { serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  const challenges = await Promise.all(Array.from({ length: 10 }, () => opened(stores)))
  const told = new Map<string, string[]>()
  let delivered = 0
  const deliverers = Array.from({ length: 6 }, async () => {
    while (delivered < 40) {
      await serviceEvents.number(3)
      for (const delivery of await serviceEvents.claim(room(2), afterNoon(60), afterNoon(120))) {
        const { challengeId, type } = delivery.event
        told.set(challengeId, [...(told.get(challengeId) ?? []), type])
        if (await serviceEvents.record(delivery, { status: 'accepted' }, false, afterNoon(60))) delivered++
      }
    }
  })
  for (const { id } of challenges) {
    await issued(stores, id)
    await verified(stores, id)
    await consumed(stores, id)
  }
  await Promise.all(deliverers)

  const order = ['challenge-opened', 'otp-issued', 'challenge-verified', 'challenge-consumed']
  for (const { id } of challenges) t.deepEqual(told.get(id), order)
})

test('a reader with a cursor who has thousands of events leaves none of them to be delivered once it has a URL', async (t) => {
  const { url, endpoints } = await connect()
  const reader = { ...PAYMENTS, url: undefined }
  await endpoints.save(reader, undefined)
  await query(
    url,
    `INSERT INTO service_events (bucket, event_id, client_id, challenge_id, position, next_attempt_at)
     SELECT n % 4096, n, 'payments', gen_random_uuid(), CASE WHEN n <= 2500 THEN n END, now() FROM generate_series(1, 5000) n`,
  )

  t.true(await endpoints.save(PAYMENTS, reader))

  const [{ unfinished }] = (await query(
    url,
    'SELECT count(*)::integer AS unfinished FROM service_events WHERE finished_at IS NULL',
  )) as [{ unfinished: number }]
  t.is(unfinished, 0)
})

test('what the trigger queues is what the domain tells', async (t) => {
  const { url, serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  const { id, subjectUserId } = await opened(stores)
  const others = [
    'otp-deferred',
    'stranger-refused',
    'consumption-refused',
    'address-suppressed',
    'user-erased',
  ]
  for (const type of [...SERVICE_EVENT_TYPES.slice(1), ...others]) {
    await query(
      url,
      `INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
       VALUES (bucket_of('${subjectUserId}'), '${id}', '${subjectUserId}', '${type}', now(), 'service', '{}')`,
    )
  }
  await serviceEvents.number(100)

  const queued = await query(url, 'SELECT count(*)::integer AS n FROM service_events')

  t.deepEqual(queued, [{ n: SERVICE_EVENT_TYPES.length }])
  t.deepEqual(
    (await serviceEvents.after('payments', 0, 100)).map(({ type }) => type),
    [...SERVICE_EVENT_TYPES],
  )
})

test('each statement about events finds its rows by an index, in a queue of 40,000', async (t) => {
  const { url, statements, serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  const { id, subjectUserId } = await opened(stores)
  await opened(stores)
  await serviceEvents.number(2)
  const [delivery, other] = await serviceEvents.claim(room(), afterNoon(60), afterNoon(120))
  await query(
    url,
    `INSERT INTO service_events
       (bucket, event_id, client_id, challenge_id, position, next_attempt_at, finished_at, outcome)
     SELECT bucket_of('${subjectUserId}'), 1000 + n, 'payments', gen_random_uuid(), n + 1, '2030-01-01 12:00+00',
       CASE WHEN n % 4 > 0 THEN now() END, CASE WHEN n % 4 > 0 THEN 'accepted' END
     FROM generate_series(1, 40000) AS n`,
    `INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
     SELECT bucket_of('${subjectUserId}'), '${id}', '${subjectUserId}', 'user-put', now(), 'service', '{}'
     FROM generate_series(1, 5000) AS n`,
    'ANALYZE service_events, challenge_events',
  )
  // The parts of the tables that have the rows, on a Citus. It reads the empty ones in order.
  const [parts] =
    statements.sharding === 'citus'
      ? ((await query(
          url,
          `SELECT concat_ws('|',
             'service_events_' || get_shard_id_for_distribution_column('service_events', bucket_of('${subjectUserId}')),
             'challenge_events_' || get_shard_id_for_distribution_column('challenge_events', bucket_of('${subjectUserId}'))
           ) AS names`,
        )) as { names: string }[])
      : [{ names: 'service_events|challenge_events' }]
  const inOrder = new RegExp(`Seq Scan on (?:${parts!.names})\\b`)
  const sent: Prisma.Sql[] = []
  const noting: Pick<Statements, 'query' | 'sharding'> = {
    sharding: statements.sharding,
    query: (statement) => {
      sent.push(statement)
      return statements.query(statement)
    },
  }
  const noted = new PrismaServiceEvents(noting)
  const deferred = { status: 'deferred', nextAttemptAt: afterNoon(600) } as const
  await noted.claim(room(16), afterNoon(60), afterNoon(120))
  t.true(await noted.record(delivery!, deferred, false, NOON))
  t.true(await noted.record(other!, { status: 'accepted' }, false, NOON))
  t.is((await noted.after('payments', 39_950, 100)).length, 2)
  t.true((await noted.replay('payments', { after: 39_000 }, NOON)) > 0)
  const reader = { ...PAYMENTS, url: undefined }
  t.true(await new PrismaWebhookEndpoints(noting).save(reader, PAYMENTS))
  t.true(await new PrismaWebhookEndpoints(noting).save(PAYMENTS, reader))

  for (const { text, values } of sent.filter(({ text }) => / service_events /.test(text))) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query('SET citus.explain_all_tasks = on')
    const { rows } = await client.query({ text: `EXPLAIN ${text}`, values })
    await client.end()
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    t.notRegex(plan, inOrder, plan)
  }
})

test('a client without an endpoint costs its decisions nothing but a look', async (t) => {
  const { url, endpoints, ...stores } = await connect()
  await endpoints.save({ ...PAYMENTS, clientId: 'payees' }, undefined)

  const { id } = await opened(stores)
  await issued(stores, id)

  t.deepEqual(
    await query(
      url,
      `SELECT (SELECT count(*)::integer FROM service_events) AS events,
         (SELECT count(*)::integer FROM challenge_expiries) AS expiries`,
    ),
    [{ events: 0, expiries: 0 }],
  )
})

test('the backlog counts what endpoints with a URL have not accepted, and the age of what is due', async (t) => {
  const { prisma, serviceEvents, endpoints, ...stores } = await connect()
  const backlog = new PrismaServiceEventBacklog(prisma)
  t.deepEqual(await backlog.measure(NOON), { waiting: 0, oldestDueAt: undefined, pausedEndpoints: 0 })
  await endpoints.save(PAYMENTS, undefined)
  await endpoints.save({ ...PAYMENTS, clientId: 'payees', url: undefined }, undefined)
  await opened(stores)
  await opened(stores)
  await opened(stores, undefined, undefined, 'payees')
  await serviceEvents.number(100)
  t.deepEqual(await backlog.measure(afterNoon(60)), {
    waiting: 2,
    oldestDueAt: NOON,
    pausedEndpoints: 0,
  })
  const [delivery] = await serviceEvents.claim(room(1), afterNoon(60), afterNoon(120))
  await serviceEvents.record(delivery!, { status: 'accepted' }, false, afterNoon(60))
  await endpoints.save({ ...PAYMENTS, pausedAt: NOON }, PAYMENTS)

  t.deepEqual(await backlog.measure(afterNoon(60)), {
    waiting: 1,
    oldestDueAt: undefined,
    pausedEndpoints: 1,
  })
})

test('a purge takes the events of services along with their challenges', async (t) => {
  const { url, prisma, serviceEvents, endpoints, ...stores } = await connect()
  await endpoints.save(PAYMENTS, undefined)
  const [challenge, event] = Challenge.open(
    { id: v7({ msecs: NOON.getTime() }), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
    POLICY,
    NOON,
  )
  await stores.stepUps.open(challenge, event, { key: 'k', fingerprint: 'f' }, PROVENANCE)
  await opened(stores)

  const retention = new PrismaRetention(prisma)
  await Array.fromAsync(retention.purge(afterNoon(POLICY.challengeLifetimeInSeconds + 1), 10))

  t.deepEqual(
    await query(
      url,
      `SELECT count(*)::integer AS n FROM service_events WHERE challenge_id = '${challenge.id}'`,
    ),
    [{ n: 0 }],
  )
  t.is((await stores.trail.eventsOf(challenge.id)).length, 1)
})
