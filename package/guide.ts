import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../src/adapters/postgres-embedded/free-port.ts'

/*
 * `npm run guide:prove` follows docs/integration.md in an empty folder, command by command and file by file as the page has them,
 * with the package that `npm pack` makes and what npm installs with it. Other than the page it takes ports that are free.
 */

const run = promisify(execFile)
const PROJECT = fileURLToPath(new URL('../', import.meta.url))
/** Of TypeScript's own users, whom the page does not ask for it: `npx node` runs the files as they are. */
const TYPES = ['typescript', '@types/node', '@types/koa', '@types/koa-bodyparser', '@types/express']

const guide = await readFile(join(PROJECT, 'docs/integration.md'), 'utf8')
const folder = await mkdtemp(join(tmpdir(), 'countersign-guide-'))
// Run by root, the embedded database is another account's, which has to get in.
await chmod(folder, 0o755)
const [apiPort, paymentsPort] = [await freePort(), await freePort()]
const API = `http://127.0.0.1:${apiPort}`
const PAYMENTS = `http://127.0.0.1:${paymentsPort}`
/** As a terminal has it: nothing of this project is on the path. */
const env = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
    .join(':'),
}
const running: ChildProcess[] = []
const startedAt = performance.now()

try {
  const [, setUp = ''] = /```bash\n(.*?)```/s.exec(guide) ?? []
  const commands = setUp.trim().split('\n')
  const serve = commands.pop()!
  step('packs')
  await run('npm', ['pack', '--pack-destination', folder], { cwd: PROJECT })
  for (const command of commands) await shell(command)
  step(serve)
  await ready(start(serve, { PORT: String(apiPort), MANAGEMENT_PORT: '0' }), /Countersign is ready at/)

  for (const [, name, code] of guide.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)) {
    await writeFile(join(folder, name!), code!)
  }
  const journey = [...guide.matchAll(/```sh\n(.*?)```/gs)].map(([, part]) => part).join('\n')
  for (const framework of ['koa', 'express', 'fastify']) {
    if (framework !== 'koa') await shell(commandInText(`npm install ${framework}`))
    const command =
      framework === 'koa' ? commandInText('npx node payments-koa.ts') : `npx node payments-${framework}.ts`
    step(command)
    const app = start(command, { PORT: String(paymentsPort), COUNTERSIGN_URL: API })
    await listening(app)
    await transferred(journey, framework)
    await ended(app)
  }

  step('npm install --save-dev typescript …, and checks all files strictly')
  await run('npm', ['install', '--save-dev', ...TYPES], { cwd: folder, env })
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--types', 'node']
  await run('sh', ['-c', `npx tsc ${strict.join(' ')} *.ts`], { cwd: folder, env })

  const [, browserFiles = ''] = /`(dist\/kit\/browser)` in the package/.exec(guide) ?? []
  await access(join(folder, 'node_modules/countersign', browserFiles, 'countersign-dialog.js'))
  console.log('The guide leads where it says.')
} finally {
  await Promise.all(running.map(ended))
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Plays the user's app, and sees the transfer made once. @throws {Error} with what it saw if not. */
async function transferred(journey: string, framework: string): Promise<void> {
  const commands = journey
    .replace('API=http://127.0.0.1:3000', `API=${API}`)
    .replace('PAYMENTS=http://127.0.0.1:4000', `PAYMENTS=${PAYMENTS}`)
    .replace('WHO=alice', `WHO=alice-${framework}`)
  const { stdout } = await run('sh', ['-e', '-c', commands], { timeout: 60_000, cwd: folder, env })
  const made = [...stdout.matchAll(/^HTTP\/1.1 202 .*?(\{[^\n]*\})/gms)].map(([, body]) => body)
  if (made.length !== 2 || made[0] !== made[1]) throw new Error(`no transfer by ${framework}:\n${stdout}`)
}

/** A command that the page names within a sentence. @throws {Error} if it does not. */
function commandInText(command: string): string {
  if (!guide.includes(`\`${command}\``)) throw new Error(`the guide does not say: ${command}`)
  return command
}

async function shell(command: string): Promise<void> {
  step(command)
  await run('sh', ['-c', command], { cwd: folder, env, timeout: 600_000 })
}

function start(command: string, variables: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn('sh', ['-c', command], {
    ...{ cwd: folder, env: { ...env, ...variables }, detached: true },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  return child
}

async function ready(child: ChildProcess, sign: RegExp): Promise<void> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!sign.test(line)) continue
    child.stdout!.resume()
    return
  }
  throw new Error('it ended before it was ready')
}

async function listening(app: ChildProcess): Promise<void> {
  while (app.exitCode === null) {
    const answered = await fetch(PAYMENTS).then(
      () => true,
      () => false,
    )
    if (answered) return
  }
  throw new Error(`it ended with ${app.exitCode}`)
}

/** With all that the shell has started. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  process.kill(-child.pid!, 'SIGTERM')
  await exit
}

function step(what: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)
  console.log(`${seconds} s  ${what}`)
}
