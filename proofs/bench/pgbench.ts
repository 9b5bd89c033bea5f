import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import type { Prisma } from '../../src/adapters/persistence-prisma/generated/client.ts'
import { hasIssuance, issuanceOf } from '../../src/adapters/persistence-prisma/otp-outbox/issuance-row.ts'
import { challengeOf } from '../../src/adapters/persistence-prisma/step-ups/challenge-row.ts'
import { standingOf } from '../../src/adapters/persistence-prisma/step-ups/standing-row.ts'
import {
  loadStepUp,
  saveDecision,
} from '../../src/adapters/persistence-prisma/step-ups/step-up-statements.ts'
import { bucketOf, idInBucketOf } from '../../src/domain/bucket.ts'
import { StepUp, type StepUpDecision } from '../../src/domain/step-up.ts'
import { type Contestant, measure } from './contestant.ts'
import { expectCount, seedUsers } from './countersign.ts'
import { putChallenges } from './floor.ts'
import type { Ground } from './ground.ts'
import { POLICY } from './settings.ts'

const DATABASE = 'pgbench'

const run = promisify(execFile)

/** No lock notice: a right code causes none. */
const NO_NOTICE = { id: '', address: undefined }

/** Ids that a pgbench script can compute from the number of a challenge, with the bucket of its subject. */
const idOf = (kind: 'challenge' | 'issuance', n: number, subject: number) =>
  idInBucketOf(
    `user-${subject}`,
    `${kind === 'challenge' ? 'c0000000' : '10000000'}-0000-7000-8000-${n.toString(16).padStart(9, '0')}000`,
  )

/**
 * The limit of the database: pgbench sends the two statements of each operation directly, with the service's parameters. Undefined
 * without pgbench, which is part of PostgreSQL's client programs.
 */
export async function pgbench(ground: Ground, subjects: number): Promise<Contestant | undefined> {
  try {
    await run('pgbench', ['--version'])
  } catch {
    return undefined
  }
  const databaseUrl = await ground.createDatabase(DATABASE, 'migrated')
  const client = await ground.client(databaseUrl)
  await seedUsers(client, subjects)
  const place = { ground, database: DATABASE, pids: [] }
  let verified = 0
  return {
    name: 'pgbench',
    stop: async () => {},
    round: async (size) => {
      const perClient = Math.floor(size / ground.connections)
      const count = perClient * ground.connections
      const first = verified
      await putChallenges(client, count, (n) => idOf('challenge', first + n, n))

      const load = (operation: string, statements: readonly Prisma.Sql[]) => async () => {
        const file = join(ground.folder, `${operation}.sql`)
        await writeFile(file, script(statements, first, perClient))
        return pgbenchLoad(file, databaseUrl, ground.connections, perClient)
      }
      const initiating = await sample(client, first, (stepUp) => {
        const demand = { id: idOf('issuance', first, 0), keyId: 'k1', recipient: stepUp.user.email }
        return StepUp.issueOtp(stepUp, demand, POLICY, new Date())
      })
      const initiate = await measure('initiate', 204, place, load('initiate', initiating))
      const verifying = await sample(
        client,
        first,
        (stepUp) => StepUp.verifyOtp(stepUp, () => true, NO_NOTICE, POLICY, new Date())[0],
      )
      const verify = await measure('verify', 204, place, load('verify', verifying))

      verified += count
      await expectCount(client, `SELECT count(*) FROM challenges WHERE status = 'verified'`, verified)
      return [initiate, verify]
    },
  }
}

/** The statements of one operation for the first challenge. */
async function sample(
  client: pg.Client,
  n: number,
  decide: (stepUp: StepUp & { readonly user: { readonly email: never } }) => StepUpDecision,
): Promise<readonly Prisma.Sql[]> {
  const load = loadStepUp({ id: idOf('challenge', n, 0), bucket: bucketOf('user-0') })
  const { rows } = await client.query(load.text, load.values)
  const [row] = rows
  const decision = decide({
    challenge: challengeOf(row),
    standing: standingOf(row),
    issuance: hasIssuance(row) ? issuanceOf(row) : undefined,
    user: { email: row.u_email as never },
  })
  return [load, saveDecision(decision, { actor: 'user:user-0' })]
}

/** Each transaction of a client uses the next challenge of its share. */
function script(statements: readonly Prisma.Sql[], first: number, perClient: number): string {
  const user = `'user-' || (:n::bigint - ${first})`
  const bucket = `bucket_of(${user})`
  const id = (prefix: string) =>
    `'${prefix}-0000-7000-8000-' || lpad(to_hex(:n::bigint), 9, '0') || lpad(to_hex(${bucket}), 3, '0')`
  const expressions: readonly [string, string][] = [
    [idOf('challenge', first, 0), id('c0000000')],
    [idOf('issuance', first, 0), id('10000000')],
    [`"bucket":${bucketOf('user-0')}`, `'"bucket":' || ${bucket}`],
    ['user-0', user],
  ]
  const literal = (value: unknown): string => {
    if (value === null || value === undefined) return 'NULL'
    if (value === bucketOf('user-0')) return bucket
    if (typeof value === 'number') return String(value)
    if (Array.isArray(value)) return `'{${value.map((one) => `"${one}"`).join(',')}}'`
    const text = value instanceof Date ? value.toISOString() : String(value)
    const quoted = `'${text.replaceAll("'", "''")}'`
    return `(${expressions.reduce((all, [from, to]) => all.replaceAll(from, `' || ${to} || '`), quoted)})`
  }
  const texts = statements.map(({ strings, values }) =>
    strings.reduce((text, part, index) => text + literal(values[index - 1]) + part).replaceAll(/\s+/g, ' '),
  )
  return [
    '\\set i :i + 1',
    `\\set n ${first} + :client_id * ${perClient} + :i`,
    ...texts.map((text) => `${text};`),
  ].join('\n')
}

async function pgbenchLoad(file: string, databaseUrl: string, clients: number, perClient: number) {
  const { stdout } = await run('pgbench', [
    ...['--no-vacuum', '--protocol=prepared', `--client=${clients}`, `--transactions=${perClient}`],
    ...['--define=i=-1', `--file=${file}`, databaseUrl],
  ])
  const count = clients * perClient
  const perSecond = Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
  const latency = Number(/latency average = ([\d.]+)/.exec(stdout)?.[1])
  return {
    seconds: count / perSecond,
    latencies: Array.from({ length: count }, () => latency),
    statuses: new Map([[204, count]]),
    answeredAt: [],
    bodies: [],
  }
}
