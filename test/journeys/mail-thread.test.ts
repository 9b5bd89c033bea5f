import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { SMTPServer } from 'smtp-server'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { openChallenge, registerUser, until } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

let database: TestDatabase
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let env: Record<string, string>

test.before(async () => {
  database = await createTestDatabase()
  dataDir = await createDataDir()
  env = { DATABASE_URL: database.url, DATA_DIR: dataDir.path }
})

test.after.always(async () => {
  await dataDir?.remove()
})

/** A service whose mail thread, and no other thread, runs this code as soon as a file of that name exists. */
async function startWithFault(t: ExecutionContext, fault: string) {
  const home = await createDataDir()
  t.teardown(home.remove)
  const trigger = `${home.path}/trigger`
  const module = `
    import { existsSync } from 'node:fs'
    import { isMainThread } from 'node:worker_threads'
    if (!isMainThread) setInterval(() => { if (existsSync(${JSON.stringify(trigger)})) { ${fault} } }, 20)`
  const service = await startProcess({
    ...env,
    NODE_OPTIONS: `--max-old-space-size=200 --import=data:text/javascript,${encodeURIComponent(module)}`,
  })
  t.teardown(() => service.end('SIGKILL'))
  const exit = once(service.process, 'exit')
  return { service, exit, trip: () => writeFile(trigger, '') }
}

for (const [what, fault, line] of [
  ['fails', `throw new Error('out of order')`, /the mail thread failed.*out of order/s],
  ['forgets a rejection', `Promise.reject(new Error('forgotten'))`, /the mail thread failed.*forgotten/s],
  [
    'runs out of memory',
    'globalThis.hoard = []; for (;;) hoard.push(new Array(1e6).fill(1))',
    /the mail thread failed/,
  ],
  ['ends by itself', 'process.exit(0)', /the mail thread ended with 0/],
] as const) {
  test(`a mail thread that ${what} ends its process, which says why`, async (t) => {
    const { service, exit, trip } = await startWithFault(t, fault)

    await trip()

    t.deepEqual(await exit, [1, null])
    t.regex(service.output(), /uncaught exception/)
    t.regex(service.output(), line)
  })
}

test('while its mail thread hangs, a process answers, but is not ready', async (t) => {
  const { service, trip } = await startWithFault(
    t,
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
  )
  t.is((await call(service.url, 'GET', '/readyz')).status, 200)

  await trip()

  const { body } = await until(
    () => call(service.url, 'GET', '/readyz'),
    ({ status }) => status === 503,
  )
  t.regex(body.checks.deliverer, /no answer within/)
  t.is((await call(service.url, 'GET', '/healthz')).status, 200)
})

test('a mail under way is finished and recorded before the process ends', async (t) => {
  const begun = Promise.withResolvers<() => void>()
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _, done) => {
      stream.resume().once('end', () => begun.resolve(() => done()))
    },
  })
  const listening = smtp.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => new Promise<void>((closed) => smtp.close(closed)))
  const { port } = listening.address() as AddressInfo
  const service = await startProcess({
    ...env,
    MAIL_TRANSPORT: 'smtp',
    SMTP_URL: `smtp://127.0.0.1:${port}`,
  })
  t.teardown(() => service.end('SIGKILL'))
  const user = await registerUser(service.url)
  const challenge = await openChallenge(service.url, user.userId)
  t.is((await call(service.url, 'POST', challenge.initiate, { token: user.token })).status, 204)
  const take = await begun.promise

  const ending = service.end()
  await until(
    async () => service.output(),
    (output) => /stopping/.test(output),
  )
  t.is(service.process.exitCode, null)
  take()

  t.is(await ending, 0, service.output())
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  t.teardown(() => client.end())
  const { rows } = await client.query('SELECT status FROM otp_issuances WHERE challenge_id = $1', [
    challenge.id,
  ])
  t.deepEqual(rows, [{ status: 'sent' }])
})

test('a mail system that cannot be used ends the start, and says so in a line', async (t) => {
  const error = await t.throwsAsync(
    startProcess({ ...env, MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://relay:secret@127.0.0.1:25/path' }),
  )

  t.regex(error?.message ?? '', /the service ended with [12]: /)
  t.false(error?.message.includes('secret'))
})
