import { spawn } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { Tally } from './tally.ts'

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const AVA = fileURLToPath(new URL('cli.mjs', import.meta.resolve('ava')))

/** The end of a test that never ends by itself. */
const FOREVER = 'new Promise((resolve) => setTimeout(resolve, 60_000))'

/** Test files: what each does, its source, and how many of it pass, fail and are skipped. */
const FILES: readonly (readonly [string, string, readonly [number, number, number]])[] = [
  ['a test passes', "test('a', (t) => t.pass())", [1, 0, 0]],
  ['a test fails', "test('a', (t) => t.fail())", [0, 1, 0]],
  ['a test is skipped', "test('a', (t) => t.pass()); test.skip('b', (t) => t.pass())", [1, 0, 1]],
  ['a test is to be written', "test.todo('a')", [0, 0, 1]],
  ['a test is expected to fail, and does', "test.failing('a', (t) => t.fail())", [0, 0, 1]],
  ['a test is expected to fail, and passes', "test.failing('a', (t) => t.pass())", [0, 1, 0]],
  ['a test logs a mark of the report', "test('a', (t) => { t.log('✘ b'); t.pass() })", [1, 0, 0]],
  ['a test waits for what never comes', "test('a', () => new Promise(() => {}))", [0, 1, 0]],
  [
    'one of two tests ends the process',
    `test('a', () => { setImmediate(() => process.exit(0)); return ${FOREVER} }); test('b', () => ${FOREVER})`,
    [0, 2, 0],
  ],
  [
    'a hook fails, so that two tests do not run',
    "test.before(() => { throw new Error() }); test('a', (t) => t.pass()); test('b', (t) => t.pass())",
    [0, 3, 0],
  ],
  [
    'no test catches an exception',
    `test('a', (t) => t.pass()); test('b', () => { setImmediate(() => { throw new Error() }); return ${FOREVER} })`,
    [1, 1, 0],
  ],
  ['no test handles a rejection', "test('a', (t) => { Promise.reject(new Error()); t.pass() })", [1, 1, 0]],
  ['the file cannot be loaded', 'throw new Error()', [0, 1, 0]],
  ['there are no tests', '', [0, 1, 0]],
]

test('each test of a run is counted once, as passed, failed or skipped, however its file ends', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-tally-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await symlink(MODULES, join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(
    join(folder, 'ava.config.js'),
    "export default { files: ['*.test.js'], cache: false, timeout: '60s' }",
  )
  for (const [name, source] of FILES) {
    await writeFile(join(folder, `${name}.test.js`), `import test from 'ava'\n${source}\n`)
  }

  const tally = new Tally()
  const report: string[] = []
  const ava = spawn(process.execPath, [AVA], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: ava.stdout })) {
    report.push(line)
    tally.count(line)
  }

  const [passed, failed, skipped] = [0, 1, 2].map((n) => FILES.reduce((sum, [, , each]) => sum + each[n]!, 0))
  t.is(String(tally), `${passed} passed, ${failed} failed, ${skipped} skipped`, report.join('\n'))
})

test('each test that AVA cuts off after its timeout is counted as failed', (t) => {
  const tally = new Tally()

  // A run of AVA would have to wait for it, and on a busy machine it cuts off what only starts.
  for (const line of [
    '  ✔ a',
    '  ✘ Timed out while running tests',
    '  2 tests were pending in b.test.ts',
    '  ◌ b',
    '  ◌ c',
    '  1 test passed',
    '  2 tests remained pending after a timeout',
  ]) {
    tally.count(line)
  }

  t.is(String(tally), '1 passed, 2 failed, 0 skipped')
})
