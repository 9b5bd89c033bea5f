import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import pg from 'pg'
import {
  CountersignClient,
  type ExecutionStore,
  PostgresExecutions,
  requireStepUp,
  stepUpOf,
} from '../../packages/kit/src/express.ts'

/* An instance of a payments service, which kills itself at the step that it is told. Its ledger takes any number of transfers. */

/** The steps of the call that runs the operation, in their order. */
export type Step =
  | 'before the consumption'
  | 'before the beginning'
  | 'after the beginning'
  | 'before the transfer'
  | 'after the transfer'
  | 'before the answer is stored'
  | 'after the answer is stored'

export interface PaymentsSettings {
  readonly databaseUrl: string
  readonly countersignUrl: string
  readonly token: string
  readonly diesAt?: Step | undefined
}

const { databaseUrl, countersignUrl, token, diesAt }: PaymentsSettings = JSON.parse(process.argv[2]!)

function reach(step: Step): void {
  if (step === diesAt) process.kill(process.pid, 'SIGKILL')
}

const pool = new pg.Pool({ connectionString: databaseUrl })
const client = new CountersignClient({
  baseUrl: countersignUrl,
  accessToken: () => token,
  timeoutInMs: 20_000,
})
const inPostgres = new PostgresExecutions(pool, { underWayForInMs: 500 })

const executions: ExecutionStore = {
  async begin(execution) {
    reach('before the beginning')
    const beginning = await inPostgres.begin(execution)
    reach('after the beginning')
    return beginning
  },
  async finish(challengeId, response, run) {
    reach('before the answer is stored')
    await inPostgres.finish(challengeId, response, run)
    reach('after the answer is stored')
  },
  markNotKnown: (...args) => inPostgres.markNotKnown(...args),
  abandon: (...args) => inPostgres.abandon(...args),
}

const app = express()
app.post(
  '/transfers',
  requireStepUp({
    client: {
      jwksUrl: client.jwksUrl,
      openChallenge: (...args) => client.openChallenge(...args),
      inspectChallenge: (...args) => client.inspectChallenge(...args),
      consumeChallenge: (...args) => {
        reach('before the consumption')
        return client.consumeChallenge(...args)
      },
    },
    clientId: 'payments',
    subjectUserId: (req) => req.get('x-user'),
    operation: () => ({
      type: 'payments.initiate',
      request: { amount: 'EUR 1,250.00' },
      summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
    }),
    executions,
  }),
  async (req, res) => {
    const { challengeId } = stepUpOf(req)
    reach('before the transfer')
    const { rows } = await pool.query('INSERT INTO transfers (challenge_id) VALUES ($1) RETURNING id', [
      challengeId,
    ])
    reach('after the transfer')
    res.status(202).json(rows[0])
  },
)

const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
