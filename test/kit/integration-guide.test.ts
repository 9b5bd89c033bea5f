import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { freePort } from '../../src/adapters/postgres-embedded/free-port.ts'
import { CountersignClient, operationDigest } from '../../src/kit/client.ts'
import { createTestDatabase } from '../database.ts'
import { paymentsToken, until } from '../journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../journeys/service-process.ts'

const GUIDE = new URL('../../docs/integration.md', import.meta.url)
const guide = await readFile(GUIDE, 'utf8')

let service: ServiceProcess
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let folder: string
const apps: ChildProcess[] = []

test.before(async () => {
  dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
  folder = join(dataDir.path, 'guide')
  await mkdir(folder)
  for (const [, name, code] of guide.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)) {
    await writeFile(join(folder, name!), resolved(code!))
  }
})

test.after.always(async () => {
  await Promise.all(apps.map(ended))
  await service?.end()
  await rm(folder, { recursive: true, force: true })
  await dataDir?.remove()
})

for (const framework of ['koa', 'express', 'fastify']) {
  test(`the guide leads to a protected route on ${framework}`, async (t) => {
    const payments = await startApp(`payments-${framework}.ts`)
    const shell = [...guide.matchAll(/```sh\n(.*?)```/gs)]
      .map(([, commands]) => commands)
      .join('\n')
      .replace('API=http://127.0.0.1:3000', `API=${service.url}`)
      .replace('PAYMENTS=http://127.0.0.1:4000', `PAYMENTS=${payments}`)
      .replace('WHO=alice', `WHO=alice-${framework}`)

    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', shell], { timeout: 50_000 })

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

test("the guide's client for production can be made", async (t) => {
  const { client } = await import(pathToFileURL(join(folder, 'production.ts')).href)

  t.is(client.jwksUrl.href, 'https://countersign.bank.example/.well-known/jwks.json')
})

/** Imports of this package and of others, as the code in the guide finds them once it is installed. */
function resolved(code: string): string {
  return code.replaceAll(/ from '([^'.]+)'/g, (_, name: string) => {
    const kit = /^countersign\/(\w+)$/.exec(name)?.[1]
    const url = kit ? new URL(`../../src/kit/${kit}.ts`, import.meta.url).href : import.meta.resolve(name)
    return ` from '${url}'`
  })
}

async function startApp(name: string): Promise<string> {
  const port = await freePort()
  const app = spawn(process.execPath, [join(folder, name)], {
    env: { PATH: process.env.PATH, PORT: String(port), COUNTERSIGN_URL: service.url },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  apps.push(app)
  const url = `http://127.0.0.1:${port}`
  await until(
    async () =>
      app.exitCode ??
      fetch(url).then(
        () => 'listening',
        () => undefined,
      ),
    (seen) => seen !== undefined,
  )
  return url
}

async function ended(app: ChildProcess): Promise<void> {
  if (app.exitCode !== null || app.signalCode !== null) return
  const exit = once(app, 'exit')
  app.kill()
  await exit
}
