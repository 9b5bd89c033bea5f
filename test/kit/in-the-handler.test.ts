import { createServer, type Server } from 'node:http'
import test from 'ava'
import express from 'express'
import pg from 'pg'
import { CountersignClient, requireStepUp, stepUpOf } from '../../packages/kit/src/express.ts'
import { listening } from '../http/listening.ts'
import { codeIn, mailsTo, paymentsToken, registerUser } from '../journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../journeys/service-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'

let service: ServiceProcess
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let ledger: pg.Pool

test.before(async () => {
  dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
  ledger = new pg.Pool({ connectionString: (await createTestDatabase()).url })
  await ledger.query('CREATE TABLE transfers (id serial, challenge_id uuid UNIQUE, authorisation text)')
})

test.after.always(async () => {
  await ledger?.end()
  await service?.end()
  await dataDir?.remove()
})

/** An instance that keeps its transfers in the ledger, and shares nothing else with others. */
async function instance(): Promise<Server> {
  const token = await paymentsToken(service.url)
  const app = express()
  const stepUp = requireStepUp({
    client: new CountersignClient({ baseUrl: service.url, accessToken: () => token, timeoutInMs: 20_000 }),
    clientId: 'payments',
    subjectUserId: (req) => req.get('x-user'),
    operation: () => ({
      type: 'payments.initiate',
      request: { amount: '1' },
      summary: [{ label: 'Amount', value: '1' }],
    }),
    executions: 'in-the-handler',
  })
  app.post('/transfers', stepUp, async (req, res) => {
    const { challengeId, authorisation } = stepUpOf(req)
    await ledger.query(
      'INSERT INTO transfers (challenge_id, authorisation) VALUES ($1, $2) ON CONFLICT (challenge_id) DO NOTHING',
      [challengeId, authorisation],
    )
    const { rows } = await ledger.query('SELECT id FROM transfers WHERE challenge_id = $1', [challengeId])
    res.status(202).json(rows[0])
  })
  return createServer(app)
}

test('a unique column of the challenge id makes one operation of any number of calls at any instances', async (t) => {
  const urls = [await listening(t, await instance()), await listening(t, await instance())]
  const user = await registerUser(service.url)
  const ask = (url: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/transfers`, { method: 'POST', headers: { 'x-user': user.userId, ...headers } })
  const required = (await (await ask(urls[0]!)).json()) as {
    challengeId: string
    signature: string
    methods: { initiate: string; verify: string }[]
  }
  const [method] = required.methods
  await call(service.url, 'POST', method!.initiate, { token: user.token })
  const [mail] = await mailsTo(service.url, user.email)
  await call(service.url, 'POST', method!.verify, { token: user.token, json: { totp: codeIn(mail!) } })

  const reference = {
    'plmr-mfa-challenge-id': required.challengeId,
    'plmr-mfa-signature': required.signature,
  }
  const burst = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const response = await ask(urls[index % 2]!, reference)
      return { status: response.status, body: await response.json() }
    }),
  )

  t.deepEqual(burst, Array(8).fill({ status: 202, body: burst[0]!.body }))
  const { rows } = await ledger.query('SELECT count(*)::int AS made FROM transfers')
  t.deepEqual(rows, [{ made: 1 }])
})
