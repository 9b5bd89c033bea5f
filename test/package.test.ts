import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
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

interface Packed {
  /** Where it is unpacked. */
  readonly folder: string
  readonly files: readonly string[]
  readonly manifest: {
    readonly bin: Readonly<Record<string, string>>
    readonly dependencies: Readonly<Record<string, string>>
    readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
}

let home: Awaited<ReturnType<typeof createDataDir>>
let service: Packed
let kit: Packed
let program: string

/** Two projects, as a reader of the guide has them. Each has installed one package and what that depends on, and nothing else. */
test.before('the packages are built, packed, and unpacked where npm would put them', async (t) => {
  t.timeout(300_000)
  home = await createDataDir()
  await run(process.execPath, ['tools/package/build.ts'], { cwd: PROJECT })
  await run(process.execPath, ['tools/package/build-kit.ts'], { cwd: PROJECT })
  service = await packed('.', 'service/node_modules/countersign')
  kit = await packed('packages/kit', 'shop/node_modules/@countersign/kit')
  program = join(service.folder, service.manifest.bin.countersign!)
})

test.after.always(async () => {
  await home?.remove()
})

const countersign = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  run(process.execPath, [program, ...args], {
    cwd: join(home.path, 'service'),
    env: { PATH: process.env.PATH, DATA_DIR: join(home.path, 'data'), ...env },
  })

test('the package of the service holds what was built, the migrations and a README, and no sources or tests', async (t) => {
  const unexpected = service.files.filter(
    (path) =>
      !/^(?:bin|dist|prisma\/migrations)\/|^(?:package\.json|README\.md|LICENSE|docs\/(?:integration\.md|migration\.md|countersign\.http))$/.test(
        path,
      ),
  )

  t.deepEqual(unexpected, [])
  t.deepEqual(
    service.files.filter((path) => /(?<!\.d)\.ts$/.test(path)),
    [],
  )
})

test('the package of the kit holds what was built of its sources, a licence and a README, and nothing else', async (t) => {
  const sources = await readdir(join(PROJECT, 'packages/kit/src'), { recursive: true })
  const built = sources
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `dist/${path.replace(/\.ts$/, '')}`)
    .flatMap((path) => [`${path}.js`, `${path}.d.ts`])

  t.deepEqual(kit.files.toSorted(), [...built, 'LICENSE', 'README.md', 'package.json'].toSorted())
})

test('what was built mirrors the sources, file by file', async (t) => {
  const sources = await readdir(join(PROJECT, 'src'), { recursive: true })
  const modules = sources.filter((path) => path.endsWith('.ts')).map((path) => path.replace(/ts$/, 'js'))

  t.deepEqual(
    modules.filter((path) => !service.files.includes(`dist/${path}`)),
    [],
  )
})

test('every export is in the package, with its types', async (t) => {
  const paths = Object.values(kit.manifest.exports).flatMap((targets) => Object.values(targets))

  t.is(paths.length, 12)
  t.deepEqual(
    paths.filter((path) => !kit.files.includes(path.replace('./', ''))),
    [],
  )
  t.false('exports' in service.manifest)
})

test('whoever installs the kit gets at most 8 packages of at most 12 MB', async (t) => {
  const lock = JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8'))
  const installed = new Set<string>()
  const add = (names: readonly string[]) => {
    for (const name of names.filter((each) => !installed.has(each))) {
      installed.add(name)
      add(Object.keys(lock.packages[`node_modules/${name}`].dependencies ?? {}))
    }
  }
  add(Object.keys(kit.manifest.dependencies))
  const folders = [kit.folder, ...[...installed].map((name) => join(PROJECT, 'node_modules', name))]

  const sizes = await Promise.all(folders.map(sizeOf))

  t.true(folders.length <= 8, [...installed].join(', '))
  t.true(sizes.reduce((sum, size) => sum + size) <= 12e6, String(sizes))
})

test('the files of the guide are right by the types of the kit, as the guide has them checked', async (t) => {
  const guide = join(home.path, 'shop')
  const types = ['express', 'koa', 'koa-bodyparser', 'node', 'pg'].map((name) => `@types/${name}`)
  await install(guide, ['express', 'fastify', 'pg', ...types])
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
    { args: ['serve'], program },
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

test('the installed service has no bank, and greets without one', async (t) => {
  const { url } = await createTestDatabase()
  const service = await startProcess(
    { DATABASE_URL: url, DATA_DIR: join(home.path, 'bank') },
    { args: ['serve'], program },
  )
  t.teardown(() => service.end())

  t.is((await fetch(`${service.url}/`)).status, 404)
  t.regex(service.output(), /Countersign is ready at/)
  t.notRegex(service.output(), /bank/)
})

/** Packs a folder of this project, and unpacks it with links to what it depends on. */
async function packed(source: string, target: string): Promise<Packed> {
  const folder = join(home.path, target)
  await mkdir(folder, { recursive: true })
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', home.path],
    { cwd: join(PROJECT, source) },
  )
  // npm 11 answers with a list, later ones with an object by name.
  const [{ filename, files }] = Object.values(JSON.parse(stdout)) as [
    { filename: string; files: { path: string }[] },
  ]
  await run('tar', ['-xzf', join(home.path, filename), '-C', folder, '--strip-components', '1'])
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  await install(join(home.path, target.split('/')[0]!), Object.keys(manifest.dependencies))
  return { folder, files: files.map(({ path }) => path), manifest }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))))
  return sizes.reduce((sum, { size }) => sum + size, 0)
}

/** As if npm had installed them in the folder. */
async function install(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(PROJECT, 'node_modules', name), link)
  }
}
