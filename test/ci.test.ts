import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

const RUN = fileURLToPath(new URL('../.ci/run', import.meta.url))

/** Shell commands in place of those of npm. */
interface Npm {
  readonly ci?: string
  readonly test: string
  readonly proofs: string
}

/** Runs `.ci/run` in a project where npm does nothing else, and nothing else can be installed. */
async function runWith(t: ExecutionContext, npm: Npm) {
  const project = await mkdtemp(join(tmpdir(), 'countersign-ci-'))
  t.teardown(() => rm(project, { recursive: true }))
  await cp(RUN, join(project, '.ci', 'run'))
  const bin = join(project, 'bin')
  await mkdir(bin)
  const cases = `ci) ${npm.ci ?? ':'} ;; 'run test') ${npm.test} ;; 'run proofs') ${npm.proofs} ;; *) exit 9 ;;`
  await writeFile(join(bin, 'npm'), `#!/bin/sh\ncase "$*" in ${cases} esac\n`, { mode: 0o755 })
  await writeFile(join(bin, 'apt-get'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })

  const run = spawn('bash', [join(project, '.ci', 'run')], {
    env: { PATH: `${bin}${delimiter}${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [output, [exitCode]] = await Promise.all([text(run.stdout), once(run, 'exit')])
  return { exitCode, output, lastLine: output.trimEnd().split('\n').at(-1) }
}

const passing = (passed: number) => `echo '${passed} passed, 0 failed, 0 skipped'`

test('the last line sums up tests and proofs', async (t) => {
  const { exitCode, lastLine } = await runWith(t, {
    test: "echo '20 passed, 0 failed, 3 skipped'",
    proofs: "echo '1 passed, 0 failed, 4 skipped'",
  })

  t.is(lastLine, '21 passed, 0 failed, 7 skipped')
  t.is(exitCode, 0)
})

test('proofs run after tests that fail, and the run has failed', async (t) => {
  const { exitCode, lastLine } = await runWith(t, {
    test: "echo '18 passed, 2 failed, 0 skipped'; exit 1",
    proofs: passing(5),
  })

  t.is(lastLine, '23 passed, 2 failed, 0 skipped')
  t.is(exitCode, 1)
})

test('what failed is said again at the end, where a reader of a long log begins', async (t) => {
  const { output } = await runWith(t, {
    test: "echo '  ✘ [fail]: a title'; echo 'its reason'; echo '1 passed, 1 failed, 0 skipped'; exit 1",
    proofs: passing(5),
  })

  t.regex(
    output,
    /5 passed, 0 failed, 0 skipped\nFailed in "npm run test":\n {2}✘ \[fail]: a title\n.*its reason\n/s,
  )
})

for (const [what, crash] of [
  ['ends before it counts', 'echo "not a type"; exit 2'],
  ['counts no failure and fails', `${passing(4)}; exit 1`],
  ['is killed', 'kill -KILL $$'],
]) {
  test(`a lane that ${what} is a failure`, async (t) => {
    const first = await runWith(t, { test: crash!, proofs: passing(5) })
    const second = await runWith(t, { test: passing(5), proofs: crash! })

    for (const { exitCode, lastLine } of [first, second]) {
      t.regex(lastLine ?? '', /^[59] passed, 1 failed, 0 skipped$/)
      t.is(exitCode, 1)
    }
  })
}

test('a run that tests nothing has failed', async (t) => {
  const { exitCode } = await runWith(t, { test: passing(0), proofs: passing(0) })

  t.is(exitCode, 1)
})

test('nothing runs where nothing can be installed', async (t) => {
  const { exitCode, output } = await runWith(t, { ci: 'exit 7', test: passing(1), proofs: passing(1) })

  t.is(output, '')
  t.is(exitCode, 7)
})
