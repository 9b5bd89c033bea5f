import type { ExecutionContext } from 'ava'
import pg from 'pg'
import { until } from '../../test/journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../test/journeys/service-process.ts'
import { groupWatch } from '../../test/support/group-watch.ts'
import { call, type Reply } from '../../test/support/http-call.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** A service with a proxy in front of its database. */
export interface TroubledService {
  readonly url: string
  readonly process: ServiceProcess
  readonly proxy: TcpProxy
  /** A connection past the proxy, which sees the database even during a fault. */
  readonly db: pg.Pool
  /** How many statements more than one request shared. */
  sharedStatements(): Promise<number>
  end(): Promise<void>
}

let starting: Promise<unknown> = Promise.resolve()

/** Starts services one after the other: the start is most of the machine's work in a test of time-outs. */
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
  // A killed or restarted server ends these connections too.
  db.on('error', () => {})
  const watch = await groupWatch()
  const service = await startProcess({
    DATABASE_URL: proxy.urlOf(databaseUrl),
    DATA_DIR: dataDir.path,
    LOG_LEVEL: 'warn',
    ...watch.env,
    ...env,
  })
  return {
    url: service.url,
    process: service,
    proxy,
    db,
    sharedStatements: watch.look,
    end: async () => {
      await service.end('SIGKILL')
      await proxy.close()
      await db.end()
      await dataDir.remove()
    },
  }
}

/** Long enough for a slow machine. After that, the answer counts as missing. */
const PATIENCE_IN_MS = 30_000

/** The answer. @throws {Error} if it takes longer than a caller would wait. */
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

/** The caller of a route decides the prefix of its codes. */
export type Family = 'mfa-totp' | 'mfa-challenge'

/** Asserts that the reply is exactly the contract's 503: a temporary fault of the service. */
export function assertOutage(t: ExecutionContext, reply: Reply, family: Family, about: string): void {
  t.is(reply.status, 503, about)
  t.true(Number(reply.headers.get('Retry-After')) > 0, about)
  t.is(reply.body.code, `urn:plmr:${family}:api:INTERNAL_SERVER_ERROR`, about)
  t.deepEqual(Object.keys(reply.body).toSorted(), ['code', 'message', 'requestId'], about)
}

/** Asserts that the service is alive but not ready. */
export async function assertOutOfService(t: ExecutionContext, url: string): Promise<void> {
  await until(
    async () => (await inTime(call(url, 'GET', '/readyz'))).status,
    (status) => status === 503,
  )
  t.is((await call(url, 'GET', '/healthz')).status, 200)
}

/** Waits until the service is ready again without help. A crashed server recovers first. */
export async function ready(url: string): Promise<void> {
  await until(
    async () => (await inTime(call(url, 'GET', '/readyz'))).body,
    ({ status }) => status === 'ready',
    2 * PATIENCE_IN_MS,
  )
}
