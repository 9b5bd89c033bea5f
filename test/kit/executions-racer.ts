import pg from 'pg'
import { PostgresExecutions } from '../../packages/kit/src/postgres-executions.ts'

/* A process that begins every run that it is sent, and says which of them it got. */

const pool = new pg.Pool({ connectionString: process.argv[2]! })
const executions = new PostgresExecutions(pool)
await pool.query('SELECT 1')

process.once('message', async (runs: { challengeId: string; digest: string; consumedAt: string }[]) => {
  const begun = await Promise.all(
    runs.map(async ({ consumedAt, ...run }, index) => {
      if (index % 10 === 0) await executions.forget()
      const { state } = await executions.begin({ ...run, consumedAt: new Date(consumedAt) })
      return state === 'run' ? [run.challengeId] : []
    }),
  )
  process.send!(begun.flat())
})
process.send!('ready')
