import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { findRunningServer } from '../../src/development/postgres/running-server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { ask, call } from '../support/http-call.ts'
import { mailsTo, openChallenge, paymentsToken, registerUser, until } from './client.ts'
import { production } from './command.ts'
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

/** What `/readyz` says, once it has that status: a busy machine may need a while to ask the database. */
const readiness = (url: string, status: number) =>
  until(
    () => call(url, 'GET', '/readyz'),
    (reply) => reply.status === status && !JSON.stringify(reply.body).includes('no answer'),
  )

test('production without its variables does not start, and names them', async (t) => {
  const error = await t.throwsAsync(startProcess({ NODE_ENV: 'production' }))

  for (const name of [
    'DATABASE_URL',
    'AUTH_ISSUER',
    'OTP_KEYS',
    'SIGNING_KEYS',
    'MAIL_TRANSPORT',
    'MAIL_FROM',
  ]) {
    t.true(error?.message.includes(`${name} is not set`), name)
  }
})

test('a forgotten NODE_ENV with a real database, or on every address, ends the start with one problem', async (t) => {
  for (const [variables, mixed] of [
    [
      'HOST and DATABASE_URL lead',
      { HOST: '0.0.0.0', DATABASE_URL: 'postgresql://u:secret@db.bank.example/c' },
    ],
    ['HOST leads', { ...env, HOST: '::' }],
    ['HOST leads', { ...env, HOST: '0.0.0.0', WORKERS: '2' }],
  ] as const) {
    const error = await t.throwsAsync(startProcess(mixed))

    t.regex(error?.message ?? '', /the service ended with 2: The configuration cannot be used:\n {2}- /)
    t.true(error?.message.includes(`- ${variables} off this machine, but NODE_ENV is not production`))
    t.is(error?.message.match(/^ {2}- /gm)?.length, 1)
    t.false(error?.message.includes('secret'))
  }
})

test('what is for development listens on this machine only, with workers and with its metrics', async (t) => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const service = await startProcess({
    ...env,
    DATABASE_URL,
    HOST: 'localhost',
    MANAGEMENT_HOST: 'localhost',
    WORKERS: '2',
    LOG_LEVEL: 'info',
  })
  t.teardown(() => service.end())

  await readiness(service.url, 200)
  const ports = [...service.output().matchAll(/http:\/\/localhost:(\d+)/g)].map(([, port]) => Number(port))
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
  t.true(new Set(ports).size >= 2, service.output())
  for (const port of ports)
    for (const { address } of own)
      await t.throwsAsync(once(connect(port, address), 'connect'), undefined, `${address}:${port}`)
})

test('a variable that nothing uses is a line at the start, by its name', async (t) => {
  const service = await startProcess({ ...production(database.url), WORKERS: '2', OTP_KEY: 'the-secret' })
  t.teardown(() => service.end())

  const lines = service
    .output()
    .split('\n')
    .filter((line) => line.includes('configuration warning'))
  t.is(lines.length, 1, service.output())
  t.like(JSON.parse(lines[0]!), { level: 40, variable: 'OTP_KEY', found: 'is a variable that nothing uses' })
  t.false(service.output().includes('the-secret'))
})

test('a port that is taken ends the start, says so in a line, and leaves no database running', async (t) => {
  const home = await createDataDir()
  t.teardown(home.remove)
  const service = await startProcess(env)
  t.teardown(() => service.end())

  const { port } = new URL(service.url)
  const error = await t.throwsAsync(startProcess({ DATA_DIR: home.path, PORT: port }))

  t.regex(error?.message ?? '', /the service ended with 1: .*Cannot start: listen EADDRINUSE/s)
  t.is(findRunningServer(join(home.path, 'postgres')), undefined)
})

/** An issuer that gives its keys only while it is told to. */
async function issuer(t: ExecutionContext) {
  const keys = [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'k1' }]
  const state = { isUp: true }
  const server = createHttpServer((_, response) => {
    response.statusCode = state.isUp ? 200 : 503
    response.end(JSON.stringify({ keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { state, variables: { AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` } }
}

test('production starts without the routes of development, and with the description of its API', async (t) => {
  const { variables } = await issuer(t)
  const service = await startProcess({ ...production(database.url), ...variables, WORKERS: '1' })
  t.teardown(() => service.end())

  await readiness(service.url, 200)
  t.is((await call(service.url, 'POST', '/dev/token', { json: { sub: 'alice' } })).status, 404)
  t.is((await call(service.url, 'GET', '/dev/mailbox')).status, 404)
  t.is((await call(service.url, 'GET', '/')).status, 404)
  t.is((await call(service.url, 'POST', '/bank/session')).status, 404)
  t.is((await call(service.url, 'GET', '/openapi.json')).body.info.title, 'Countersign')
  t.is((await ask(service.url, 'GET', '/docs')).status, 200)
})

test('with DOCS=off there is neither the page nor the document', async (t) => {
  const service = await startProcess({ ...env, DOCS: 'off' })
  t.teardown(() => service.end())

  for (const path of ['/docs', '/docs/show-api.js', '/openapi.json']) {
    t.is((await call(service.url, 'GET', path)).status, 404, path)
  }
})

test('an instance that never had a key of the issuer is not ready, and one that had stays ready without it', async (t) => {
  const { state, variables } = await issuer(t)
  state.isUp = false
  const service = await startProcess({ ...production(database.url), ...variables, WORKERS: '1' })
  t.teardown(() => service.end())

  const unready = await readiness(service.url, 503)
  t.is(
    unready.body.checks.issuer,
    'the issuer has given no keys yet: The issuer answered 503 instead of a document',
  )
  t.is((await call(service.url, 'GET', '/healthz')).status, 200)

  state.isUp = true
  t.like((await readiness(service.url, 200)).body.checks, { issuer: 'ok' })
  state.isUp = false
  t.is((await call(service.url, 'GET', '/readyz')).status, 200)
})

test('behind a trusted proxy the audit trail has the address of the client, which no log line has', async (t) => {
  const service = await startProcess({ ...env, TRUSTED_PROXIES: '127.0.0.0/8' })
  t.teardown(() => service.end())
  const { url } = service
  const { userId, token } = await registerUser(url)
  const { id, verify } = await openChallenge(url, userId)

  const reply = await call(url, 'POST', verify, {
    token,
    json: { totp: '000000' },
    headers: { 'X-Forwarded-For': '198.51.100.1, 203.0.113.77' },
  })

  t.is(reply.status, 400)
  const { body } = await call(url, 'GET', `/internal/v1/mfa/challenges/${id}/events`, {
    token: await paymentsToken(url),
  })
  t.like(body.events.at(-1), { type: 'otp-rejected', remoteAddress: '203.0.113.77' })
  t.false(service.output().includes('203.0.113.77'))
})

test('two workers serve one port, and end together in order', async (t) => {
  const service = await startProcess({ ...env, WORKERS: '2' })
  await until(
    async () => service.output().match(/ ready/g)?.length ?? 0,
    (count) => count >= 2,
  )

  await readiness(service.url, 200)
  t.is(await service.end('SIGTERM'), 0, service.output())
})

test('pending migrations make it unready, by name, and alive all the same', async (t) => {
  const other = await createTestDatabase()
  const db = new pg.Pool({ connectionString: other.url })
  t.teardown(async () => {
    await db.end()
  })
  await db.query("DELETE FROM _prisma_migrations WHERE migration_name = '20261122000000_init'")
  const service = await startProcess({ ...env, DATABASE_URL: other.url })
  t.teardown(() => service.end())

  const reply = await readiness(service.url, 503)

  t.regex(reply.body.checks.database, /20261122000000_init/)
  t.is((await call(service.url, 'GET', '/healthz')).status, 200)
})

test('without its database it starts, is alive, not ready, and answers 503 in time', async (t) => {
  const service = await startProcess({ ...env, DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/none' })
  t.teardown(() => service.end())

  t.is((await call(service.url, 'GET', '/healthz')).status, 200)
  const { body: unready } = await readiness(service.url, 503)
  t.is(unready.checks.database, 'the database refuses connections (ECONNREFUSED)')
  t.regex(service.output(), /not ready[\s\S]*refuses connections \(ECONNREFUSED\)/)
  const { body } = await call(service.url, 'POST', '/dev/token', { json: { sub: 'alice' } })
  const reply = await call(
    service.url,
    'POST',
    '/internal/v1/mfa/totp-email/0197a000-0000-7000-8000-0000000000c1:initiate',
    {
      token: body.access_token,
    },
  )
  t.is(reply.status, 503)
  t.truthy(reply.headers.get('Retry-After'))
})

test('a database that is silent is told from one that refuses', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const service = await startProcess({
    ...env,
    DATABASE_URL: `postgresql://nobody:x@127.0.0.1:${port}/none`,
  })
  t.teardown(() => service.end('SIGKILL'))

  const { body } = await readiness(service.url, 503)

  t.is(body.checks.database, 'the database does not answer')
})

test('SIGTERM lets a request under way finish, and ends with 0', async (t) => {
  const service = await startProcess(env)
  const { port } = new URL(service.url)
  const { body } = await call(service.url, 'POST', '/dev/token', {
    json: { client_id: 'crm', scope: 'mfa:users:write' },
  })
  const json = JSON.stringify({ email: 'late@example.com' })
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(
    `PUT /internal/v1/mfa/users/late HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${body.access_token}\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json.slice(0, 5)}`,
  )
  // The server has the head of the request once it answers another one on a younger connection.
  await call(service.url, 'GET', '/healthz')

  const ended = service.end('SIGTERM')
  await until(
    async () => service.output(),
    (output) => output.includes('stopping'),
  )
  socket.write(json.slice(5))
  const [answer] = await once(socket, 'data')

  t.regex(String(answer), /^HTTP\/1\.1 201 /)
  t.is(await ended, 0)
})

test('SIGTERM makes it unready at once, to whoever still has a connection that is being served', async (t) => {
  const service = await startProcess(env)
  t.teardown(() => service.end('SIGKILL'))
  await readiness(service.url, 200)
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.write(
    'POST /dev/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{',
  )
  await call(service.url, 'GET', '/healthz')

  const ended = service.end('SIGTERM')
  await until(
    async () => service.output(),
    (output) => output.includes('stopping'),
  )
  socket.write('"sub":"alice"}\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n')
  const answers = await text(socket)

  t.regex(answers, /^HTTP\/1\.1 200 .*HTTP\/1\.1 503 .*"process":"it is stopping"/s)
  t.is(await ended, 0)
})

test('a second signal ends it at once', async (t) => {
  const service = await startProcess(env)
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    'POST /dev/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{',
  )
  await call(service.url, 'GET', '/healthz')

  service.process.kill('SIGTERM')
  await until(
    async () => service.output(),
    (output) => output.includes('stopping'),
  )

  t.is(await service.end('SIGTERM'), 1)
})

test('what a killed process left queued is delivered by a process that only delivers', async (t) => {
  // Its own, for the services of other tests would claim the mail as well, and some of them cannot send it or are killed.
  const { url: DATABASE_URL } = await createTestDatabase()
  const own = { ...env, DATABASE_URL }
  const service = await startProcess({ ...own, MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1' })
  const user = await registerUser(service.url)
  const challenge = await openChallenge(service.url, user.userId)
  t.is((await call(service.url, 'POST', challenge.initiate, { token: user.token })).status, 204)
  await until(
    async () => service.output(),
    (output) => /mail attempt/.test(output),
  )
  await service.end('SIGKILL')

  const deliverer = spawn(process.execPath, ['bin/service.mjs', 'deliver'], {
    env: { PATH: process.env.PATH, MANAGEMENT_PORT: '0', ...own },
  })
  t.teardown(() => deliverer.kill())
  const reader = await startProcess({
    ...env,
    DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/none',
    LOG_LEVEL: 'silent',
  })
  t.teardown(() => reader.end())

  t.is((await mailsTo(reader.url, user.email)).length, 1)
})

test('development brings up a database of its own, and keeps it over a restart', async (t) => {
  const home = await createDataDir()
  t.teardown(home.remove)
  const own = { DATA_DIR: home.path }

  const first = await startProcess(own)
  const user = await registerUser(first.url)
  t.is(await first.end('SIGINT'), 0, first.output())

  const second = await startProcess(own)
  t.teardown(() => second.end())
  await readiness(second.url, 200)
  const challenge = await openChallenge(second.url, user.userId)
  t.is((await call(second.url, 'POST', challenge.initiate, { token: user.token })).status, 204)
})
