import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { v7 } from 'uuid'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { POLICY, TRANSFER } from '../domain/examples.ts'
import { createTestDatabase, missingDatabaseUrl } from '../support/database.ts'
import { SEALS } from '../support/seals.ts'

const run = (databaseUrl: string, ...args: string[]) =>
  spawnSync(process.execPath, ['src/command-line/cli.ts', 'purge', ...args], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    encoding: 'utf8',
  })

test('the command deletes what is past retention, and says how much that was', async (t) => {
  const { url } = await createTestDatabase()
  const { statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  const stepUps = new PrismaStepUps(statements, SEALS)
  const openedAt = async (at: Date) => {
    const [challenge, event] = Challenge.open(
      { id: v7({ msecs: at.getTime() }), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
      POLICY,
      at,
    )
    await stepUps.open(
      challenge,
      event,
      { key: randomUUID(), fingerprint: 'f' },
      { actor: 'client:payments' },
    )
    return challenge.id
  }
  const old = await openedAt(new Date('2020-01-01T12:00:00.000Z'))
  const young = await openedAt(new Date('2100-01-01T12:00:00.000Z'))

  const first = run(url)
  t.is(first.status, 0, first.stderr)
  t.is(first.stdout, '1 challenges and 0 events deleted\n')
  t.is(await stepUps.load(old), undefined)
  t.truthy(await stepUps.load(young))

  const shown = spawnSync(process.execPath, ['src/command-line/cli.ts', 'challenge', 'show', old], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    encoding: 'utf8',
  })
  t.is(shown.status, 0, shown.stderr)
  t.regex(shown.stdout, /status +purged: [\s\S]*challenge-opened/)

  t.is(run(url).stdout, '0 challenges and 0 events deleted\n')
  t.deepEqual(JSON.parse(run(url, '--json').stdout), { challenges: 0, events: 0 })
})

test('a command that cannot get through says so and ends with another code', (t) => {
  const { status, stdout, stderr } = run(missingDatabaseUrl())

  t.is(status, 1)
  t.is(stdout, '0 challenges and 0 events deleted\n')
  t.regex(stderr, /not available|StorageFault|DatabaseDoesNotExist/)
})
