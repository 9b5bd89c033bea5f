import type { ExecutionContext } from 'ava'
import pg from 'pg'
import { until } from '../../test/journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../test/journeys/service-process.ts'
import { call, type Reply } from '../../test/support/http-call.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** A service whose way to its database can be broken. */
export interface TroubledService {
  readonly url: string
  readonly process: ServiceProcess
  readonly proxy: TcpProxy
  /** Past the proxy: what the database holds, whatever the service can see of it. */
  readonly db: pg.Pool
  end(): Promise<void>
}

let starting: Promise<unknown> = Promise.resolve()

/** One after the other: to start is most of the work that a test of time-outs gives to the machine. */
export function startTroubledService(
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<TroubledService> {
  const started = starting.then(() => start(databaseUrl, env))
  starting = started.catch(() => {})
  return started
}

async function start(databaseUrl: string, env: Record<string, string>): Promise<TroubledService> {
  const dataDir = await createDataDir()
  const proxy = await TcpProxy.to(databaseUrl)
  const db = new pg.Pool({ connectionString: databaseUrl })
  // A server that is killed or restarted cuts off these as well.
  db.on('error', () => {})
  const service = await startProcess({
    DATABASE_URL: proxy.urlOf(databaseUrl),
    DATA_DIR: dataDir.path,
    LOG_LEVEL: 'warn',
    ...env,
  })
  return {
    url: service.url,
    process: service,
    proxy,
    db,
    end: async () => {
      await service.end('SIGKILL')
      await proxy.close()
      await db.end()
      await dataDir.remove()
    },
  }
}

/** Long enough for any slow machine: what takes longer is taken for an answer that never comes. */
const PATIENCE_IN_MS = 30_000

/** The answer, before whoever asked would have given up. */
export async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const gaveUp = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => gaveUp.reject(new Error(`no answer in ${PATIENCE_IN_MS} ms`)),
    PATIENCE_IN_MS,
  )
  try {
    return await Promise.race([answer, gaveUp.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Who calls a route decides whose names its codes have. */
export type Family = 'mfa-totp' | 'mfa-challenge'

/** The reply says in the contract's words that it is the service's fault and passes, and says nothing else. */
export function assertOutage(t: ExecutionContext, reply: Reply, family: Family, about: string): void {
  t.is(reply.status, 503, about)
  t.true(Number(reply.headers.get('Retry-After')) > 0, about)
  t.is(reply.body.code, `urn:plmr:${family}:api:INTERNAL_SERVER_ERROR`, about)
  t.deepEqual(Object.keys(reply.body).toSorted(), ['code', 'message', 'requestId'], about)
}

/** Not ready, and alive. */
export async function assertOutOfService(t: ExecutionContext, url: string): Promise<void> {
  await until(
    async () => (await inTime(call(url, 'GET', '/readyz'))).status,
    (status) => status === 503,
  )
  t.is((await call(url, 'GET', '/healthz')).status, 200)
}

/** Ready again, by itself: a server that crashed recovers first. */
export async function ready(url: string): Promise<void> {
  await until(
    async () => (await inTime(call(url, 'GET', '/readyz'))).body,
    ({ status }) => status === 'ready',
    2 * PATIENCE_IN_MS,
  )
}
