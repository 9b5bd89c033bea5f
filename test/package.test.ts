import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { codeIn, mailsTo, openChallenge, registerUser } from './journeys/client.ts'
import { createDataDir, startProcess } from './journeys/service-process.ts'
import { readGuide } from './kit/guide.ts'
import { createTestDatabase, missingDatabaseUrl } from './support/database.ts'
import { call } from './support/http-call.ts'

const run = promisify(execFile)
const PROJECT = fileURLToPath(new URL('../', import.meta.url))

let home: Awaited<ReturnType<typeof createDataDir>>
let packed: readonly string[]
let program: string

/** A project that has installed the package and what it depends on, and nothing of this project besides. */
test.before('the package is built, packed, and unpacked where npm would put it', async (t) => {
  t.timeout(300_000)
  home = await createDataDir()
  await run(process.execPath, ['tools/package/build.ts'], { cwd: PROJECT })
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', home.path],
    {
      cwd: PROJECT,
    },
  )
  const answer = JSON.parse(stdout)
  // npm 11 answers with a list, later ones with an object by name.
  const [{ filename, files }] = Object.values(answer) as [{ filename: string; files: { path: string }[] }]
  packed = files.map(({ path }) => path)

  const folder = join(home.path, 'node_modules', 'countersign')
  await mkdir(folder, { recursive: true })
  await run('tar', ['-xzf', join(home.path, filename), '-C', folder, '--strip-components', '1'])
  const { dependencies, bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  await install(home.path, Object.keys(dependencies))
  program = join(folder, bin.countersign)
})

test.after.always(async () => {
  await home?.remove()
})

const countersign = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  run(process.execPath, [program, ...args], {
    cwd: home.path,
    env: { PATH: process.env.PATH, DATA_DIR: join(home.path, 'data'), ...env },
  })

test('the package holds what was built, the migrations and a README, and no sources or tests', async (t) => {
  const unexpected = packed.filter(
    (path) =>
      !/^(?:bin|dist|prisma\/migrations)\/|^(?:package\.json|README\.md|LICENSE|docs\/(?:openapi\.json|integration\.md|migration\.md|countersign\.http))$/.test(
        path,
      ),
  )

  t.deepEqual(unexpected, [])
  t.deepEqual(
    packed.filter((path) => /(?<!\.d)\.ts$/.test(path)),
    [],
  )
})

test('what was built mirrors the sources, file by file', async (t) => {
  const sources = await readdir(join(PROJECT, 'src'), { recursive: true })
  const modules = sources.filter((path) => path.endsWith('.ts')).map((path) => path.replace(/ts$/, 'js'))

  t.deepEqual(
    modules.filter((path) => !packed.includes(`dist/${path}`)),
    [],
  )
})

test('every export is in the package, with its types', async (t) => {
  const { exports } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'))
  const paths = Object.values<Record<string, string>>(exports).flatMap((targets) => Object.values(targets))

  t.is(paths.length, 10)
  t.deepEqual(
    paths.filter((path) => !packed.includes(path.replace('./', ''))),
    [],
  )
})

test('the files of the guide are right by the types of the package, as the guide has them checked', async (t) => {
  const guide = join(home.path, 'guide')
  const types = ['express', 'koa', 'koa-bodyparser', 'node'].map((name) => `@types/${name}`)
  await install(home.path, ['express', 'fastify', ...types])
  await mkdir(guide)
  for (const step of await readGuide()) {
    if (step.kind === 'file') await writeFile(join(guide, step.name), step.content)
  }
  await writeFile(join(guide, 'package.json'), '{ "type": "module" }')

  const checked = run(process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc')], { cwd: guide })

  await t.notThrowsAsync(checked.catch(({ stdout }) => Promise.reject(new Error(stdout))))
})

test('the installed command explains itself and generates keys', async (t) => {
  t.regex((await countersign({}, '--help')).stdout, /Usage: countersign/)
  t.regex((await countersign({}, 'keys', 'generate')).stdout, /^OTP_KEYS=.*\nSIGNING_KEYS=/)
})

test('the installed command makes a database that its doctor finds well', async (t) => {
  const env = { DATABASE_URL: missingDatabaseUrl() }

  t.regex((await countersign(env, 'migrate')).stdout, /^applied 20261122000000_init$/m)
  t.regex((await countersign(env, 'doctor')).stdout, /All is well\./)
})

test('the installed service mails a code', async (t) => {
  const { url } = await createTestDatabase()
  const service = await startProcess(
    { DATABASE_URL: url, DATA_DIR: join(home.path, 'service') },
    ['serve'],
    program,
  )
  t.teardown(() => service.end())

  const user = await registerUser(service.url)
  const challenge = await openChallenge(service.url, user.userId)
  t.is((await call(service.url, 'POST', challenge.initiate, { token: user.token })).status, 204)
  const [mail] = await mailsTo(service.url, user.email)

  const reply = await call(service.url, 'POST', challenge.verify, {
    token: user.token,
    json: { totp: codeIn(mail!) },
  })
  t.is(reply.status, 204)
})

test('the installed service shows its bank, from what was built of it', async (t) => {
  const { url } = await createTestDatabase()
  const service = await startProcess(
    { DATABASE_URL: url, DATA_DIR: join(home.path, 'bank') },
    ['serve'],
    program,
  )
  t.teardown(() => service.end())

  for (const page of ['/', '/bank']) {
    const html = await (await fetch(`${service.url}${page}`)).text()
    const loaded = [...html.matchAll(/(?:src|href)="(\/bank\/files\/[^"]+)"/g)].map(([, file]) => file!)
    t.is(loaded.filter((file) => file.endsWith('.js')).length, 1)
    for (const file of loaded) t.is((await fetch(`${service.url}${file}`)).status, 200, file)
  }
})
/** As if npm had installed them in the folder. */
async function install(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(PROJECT, 'node_modules', name), link)
  }
}
