import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { EXECUTIONS_TABLE } from '../../packages/kit/src/postgres-executions.ts'
import { codeIn, mailsTo, paymentsToken, registerUser, until } from '../journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../journeys/service-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import type { PaymentsSettings, Step } from './payments-process.ts'

/* A payments service of several processes on one store. One of them is killed while it makes a transfer; the app calls another. */

let service: ServiceProcess
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let ledger: pg.Pool
let settings: PaymentsSettings

test.before(async () => {
  dataDir = await createDataDir()
  service = await startProcess({ DATABASE_URL: (await createTestDatabase()).url, DATA_DIR: dataDir.path })
  const { url: databaseUrl } = await createTestDatabase()
  ledger = new pg.Pool({ connectionString: databaseUrl })
  await ledger.query(EXECUTIONS_TABLE)
  await ledger.query('CREATE TABLE transfers (id serial, challenge_id uuid NOT NULL)')
  settings = { databaseUrl, countersignUrl: service.url, token: await paymentsToken(service.url) }
})

test.after.always(async () => {
  await ledger?.end()
  await service?.end()
  await dataDir?.remove()
})

async function startPayments(
  t: ExecutionContext,
  diesAt?: Step,
): Promise<{ url: string; process: ChildProcess }> {
  const payments = fork(
    fileURLToPath(new URL('payments-process.ts', import.meta.url)),
    [JSON.stringify({ ...settings, diesAt })],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  t.teardown(() => payments.kill('SIGKILL'))
  const [url] = (await once(payments, 'message')) as [string]
  return { url, process: payments }
}

/** A user who has approved the transfer, and the call of their app. */
async function approved(url: string) {
  const user = await registerUser(service.url)
  const ask = async (at: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${at}/transfers`, {
      method: 'POST',
      headers: { 'x-user': user.userId, ...headers },
    })
    // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the tests find out
    return { status: response.status, body: (await response.json()) as any }
  }
  const { body } = await ask(url)
  await call(service.url, 'POST', body.methods[0].initiate, { token: user.token })
  const [mail] = await mailsTo(service.url, user.email)
  await call(service.url, 'POST', body.methods[0].verify, {
    token: user.token,
    json: { totp: codeIn(mail!) },
  })
  return {
    challengeId: body.challengeId as string,
    transfer: (at: string) =>
      ask(at, { 'plmr-mfa-challenge-id': body.challengeId, 'plmr-mfa-signature': body.signature }),
  }
}

async function made(challengeId: string): Promise<number> {
  const { rows } = await ledger.query('SELECT count(*)::int AS made FROM transfers WHERE challenge_id = $1', [
    challengeId,
  ])
  return rows[0].made
}

for (const [step, transfers, repeated] of [
  ['before the consumption', 1, 202],
  ['before the beginning', 1, 202],
  ['after the beginning', 0, 409],
  ['before the transfer', 0, 409],
  ['after the transfer', 1, 409],
  ['before the answer is stored', 1, 409],
  ['after the answer is stored', 1, 202],
] as readonly (readonly [Step, number, number])[]) {
  test(`a process killed ${step} has its call repeated elsewhere with ${transfers} transfer in all`, async (t) => {
    const [dying, other] = await Promise.all([startPayments(t, step), startPayments(t)])
    const { challengeId, transfer } = await approved(other.url)

    const exit = once(dying.process, 'exit')
    await t.throwsAsync(transfer(dying.url))
    t.is((await exit)[1], 'SIGKILL')
    const settled = await until(
      () => transfer(other.url),
      ({ body }) => body.code !== 'OPERATION_UNDER_WAY',
    )
    const again = await transfer(other.url)

    t.is(settled.status, repeated)
    if (repeated === 409) t.is(settled.body.code, 'OUTCOME_NOT_KNOWN')
    t.deepEqual(again, settled)
    t.is(await made(challengeId), transfers)
  })
}

test('of many calls at two processes, one makes the transfer', async (t) => {
  const processes = await Promise.all([startPayments(t), startPayments(t)])
  const { challengeId, transfer } = await approved(processes[0].url)

  const burst = await Promise.all(Array.from({ length: 12 }, (_, n) => transfer(processes[n % 2]!.url)))

  t.true(burst.every(({ status, body }) => status === 202 || body.code === 'OPERATION_UNDER_WAY'))
  t.is(new Set(burst.filter(({ status }) => status === 202).map(({ body }) => body.id)).size, 1)
  t.is(await made(challengeId), 1)
})
