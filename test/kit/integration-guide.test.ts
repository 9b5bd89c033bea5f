import { execFile } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { CountersignClient, EXECUTIONS_TABLE, operationDigest } from '../../packages/kit/src/client.ts'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { paymentsToken, until } from '../journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../journeys/service-process.ts'
import { createTestDatabase, query } from '../support/database.ts'
import { type GuideCommands, guideSteps, lineNotSeen, readGuide } from './guide.ts'
import { type GuideApp, saveFiles, startApp } from './guide-app.ts'

const guide = await readGuide()
const [serviceManifest, kitManifest] = await Promise.all(
  ['../../package.json', '../../packages/kit/package.json'].map(async (path) =>
    JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')),
  ),
)
/** What the user's app does is the third terminal's. */
const app = commandsOf(3)

let service: ServiceProcess
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let folder: string
const servers: GuideApp[] = []

test.before(async () => {
  dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
  folder = join(dataDir.path, 'guide')
  await mkdir(folder)
  await saveFiles(guide, folder)
})

test.after.always(async () => {
  await Promise.all(servers.map((server) => server.end()))
  await service?.end()
  await rm(folder, { recursive: true, force: true })
  await dataDir?.remove()
})

for (const framework of ['koa', 'express', 'fastify']) {
  test(`the guide leads to a protected route on ${framework}`, async (t) => {
    const payments = await startApp(join(folder, `payments-${framework}.ts`), service.url)
    servers.push(payments)
    const shell = app
      .map(({ commands }) => commands)
      .join('\n')
      .replace('API=http://127.0.0.1:3000', `API=${service.url}`)
      .replace('PAYMENTS=http://127.0.0.1:4000', `PAYMENTS=${payments.url}`)
      .replace('WHO=alice', `WHO=alice-${framework}`)

    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', shell], { timeout: 50_000 })

    const seen = app.flatMap((step) =>
      step.seen.map((line) => line.replaceAll('alice', `alice-${framework}`)),
    )
    t.true(seen.length > 4)
    t.is(lineNotSeen(seen, stdout), undefined, stdout)
    const [, challengeId] = /"STEP_UP_REQUIRED".*"challengeId":"([^"]+)"/.exec(stdout)!
    const made = [...stdout.matchAll(/^HTTP\/1.1 202 .*?(\{[^\n]*\})/gms)].map(([, body]) =>
      JSON.parse(body!),
    )
    const transfer = { amount: 'EUR 1,250.00', to: 'ACME GmbH' }
    t.deepEqual(made, Array(2).fill({ transfer: challengeId, ...transfer, by: `alice-${framework}` }))

    const [, signature] = /"signature":"([^"]+)"/.exec(stdout)!
    const token = await paymentsToken(service.url)
    const client = new CountersignClient({ baseUrl: service.url, accessToken: () => token })
    const digest = operationDigest({ type: 'payments.initiate', request: transfer })
    const proof = { signature: signature!, digest }
    const { authorisation, consumedAt } = await client.consumeChallenge(challengeId!, proof)
    const { stdout: approval } = await promisify(execFile)(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { approvalOf } from '${pathToFileURL(join(folder, 'audit.ts')).href}'
        const [transfer, authorisation, madeAt] = JSON.parse(process.argv[1])
        console.log((await approvalOf(transfer, authorisation, new Date(madeAt))).challengeId)`,
        JSON.stringify([transfer, authorisation, consumedAt]),
      ],
      { env: { PATH: process.env.PATH, COUNTERSIGN_URL: service.url } },
    )
    t.is(approval.trim(), challengeId!)
  })
}

for (const framework of ['koa', 'express', 'fastify']) {
  test(`the guide's route on ${framework} answers a request without a usable body, and shows no stack`, async (t) => {
    const payments = await startApp(join(folder, `payments-${framework}.ts`), service.url)
    servers.push(payments)
    const json = { 'Content-Type': 'application/json' }

    for (const init of [{}, { headers: json, body: '{}' }, { headers: json, body: '[]' }]) {
      const response = await fetch(`${payments.url}/transfers`, {
        method: 'POST',
        ...init,
        headers: { 'x-user': 'alice', ...init.headers },
      })

      const text = await response.text()
      t.is(response.status, 400)
      t.deepEqual(Object.keys(JSON.parse(text)), ['code', 'message'])
      t.is(JSON.parse(text).code, 'OPERATION_NOT_VALID')
    }
  })
}

test("the guide's receiver of events hears of a challenge, and its cursor leads to the same events", async (t) => {
  const port = await freePort()
  const events = await startApp(join(folder, 'events.ts'), service.url, {
    variables: { EVENTS_PORT: String(port) },
    listening: `events at http://127.0.0.1:${port}/events`,
  })
  servers.push(events)
  const token = await paymentsToken(service.url)
  const client = new CountersignClient({ baseUrl: service.url, accessToken: () => token })
  const operation = {
    type: 'payments.initiate',
    digest: operationDigest({ type: 'payments.initiate', request: {} }),
  }

  const { challengeId } = await client.openChallenge({
    subjectUserId: 'alice-events',
    operation: { ...operation, summary: [{ label: 'Amount', value: 'EUR 1.00' }] },
  })
  await client.cancelChallenge(challengeId)

  await until(
    async () => events.lines,
    (lines) => lines.includes(`cancelled by-client ${challengeId}`),
  )
  const about = events.lines.filter((line) => line.endsWith(challengeId))
  t.deepEqual(about, [`opened payments.initiate ${challengeId}`, `cancelled by-client ${challengeId}`])

  const { stdout: missed } = await promisify(execFile)(process.execPath, [join(folder, 'missed.ts')], {
    env: { PATH: process.env.PATH, COUNTERSIGN_URL: service.url },
  })
  const read = missed.split('\n').filter((line) => line.endsWith(challengeId))
  t.deepEqual(
    read.map((line) => line.split(' ')[1]),
    ['challenge-opened', 'challenge-cancelled'],
  )
  t.is(lineNotSeen(['next time, begin after …'], missed), undefined, missed)
})

test("the guide's client for production can be made", async (t) => {
  const { client } = await import(pathToFileURL(join(folder, 'production.ts')).href)

  t.is(client.jwksUrl.href, 'https://countersign.bank.example/.well-known/jwks.json')
})

test("the guide's store in PostgreSQL begins a run once, and forgets", async (t) => {
  const { url } = await createTestDatabase()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createTable, executions, forgetOldRuns } from '${pathToFileURL(join(folder, 'executions.ts')).href}'
      await createTable()
      const run = { challengeId: crypto.randomUUID(), digest: 'd', consumedAt: new Date() }
      console.log((await executions.begin(run)).state, (await executions.begin(run)).state, await forgetOldRuns())
      process.exit()`,
    ],
    { env: { PATH: process.env.PATH, DATABASE_URL: url } },
  )

  t.is(stdout.trim(), 'run under-way 0')
})

test('the SQL of the guide fits the table of the store', async (t) => {
  const page = await readFile(new URL('../../docs/integration.md', import.meta.url), 'utf8')
  const statements = [...page.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql]) => sql!)
  const ofTheStore = statements.filter((sql) => sql.includes('countersign_executions'))
  const { url } = await createTestDatabase()
  const run = "(gen_random_uuid(), 'd', now() - interval '1 hour', now() - interval '1 hour')"

  const rows = await query(
    url,
    EXECUTIONS_TABLE,
    `INSERT INTO countersign_executions (challenge_id, digest, consumed_at, begun_at) VALUES ${run}`,
    ...ofTheStore,
  )

  t.is(ofTheStore.length, 2)
  t.is(rows.length, 1)
})

test('the guide installs each package under the name that it is packed under', (t) => {
  const fileOf = ({ name, version }: { name: string; version: string }) =>
    `$PWD/${name.replace('@', '').replace('/', '-')}-${version}.tgz`
  const [ofService] = commandsOf(1)
  const [ofShop] = commandsOf(2)

  t.true(ofService!.commands.includes(fileOf(serviceManifest)))
  t.true(ofShop!.commands.includes(fileOf(kitManifest)))
})

test('what the guide installs besides is what its files import', (t) => {
  const installed = guide
    .flatMap((step) => (step.kind === 'commands' ? step.commands.split('\n') : []))
    .filter((line) => line.startsWith('npm install '))
    .flatMap((line) => line.split(' ').slice(2))
    .filter((word) => /^[a-z]/.test(word) && word !== 'typescript')
  const imported = guide
    .flatMap((step) => (step.kind === 'file' ? [...step.content.matchAll(/ from '([^']+)'/g)] : []))
    .map(([, name]) => name!)
    .filter((name) => !/^(?:node:|@countersign\/)/.test(name))

  t.deepEqual([...new Set(installed)].sort(), [...new Set(imported)].sort())
})

test('the guide names only what the package exports', (t) => {
  const names = guide.flatMap((step) =>
    step.kind === 'file' ? [...step.content.matchAll(/'@countersign\/kit\/(\w+)'/g)] : [],
  )

  t.deepEqual(
    [...new Set(names.map(([, name]) => `./${name}`))].sort(),
    Object.keys(kitManifest.exports).sort(),
  )
})

test('commands that belong to no terminal cannot be followed', (t) => {
  t.throws(() => guideSteps('```sh\nnpm install\n```\n'), { message: /without a terminal/ })
})

test('a line that is seen before another is missed after it', (t) => {
  t.is(lineNotSeen(['one…', 'two'], 'one and\ntwo'), undefined)
  t.is(lineNotSeen(['one…', 'two'], 'two\none and'), 'two')
})

function commandsOf(terminal: number): readonly GuideCommands[] {
  return guide.filter((step) => step.kind === 'commands').filter((step) => step.terminal === terminal)
}
