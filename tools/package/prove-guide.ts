import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { type GuideCommands, lineNotSeen, readGuide } from '../../test/kit/guide.ts'

/*
 * `npm run guide:prove`: follows `docs/integration.md` to the letter, once for each framework. It packs service and kit. In an empty
 * folder it types the page's commands into terminals, saves the page's files, and waits for the output that the page promises. It
 * needs npm's registry, and the page's ports must be free. `node tools/package/prove-guide.ts koa` proves one framework.
 */

const FRAMEWORKS = ['koa', 'express', 'fastify']
const PORTS = [3000, 9464, 4000, 4001, 4003]
const PATIENCE_IN_MS = 300_000
const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

const { positionals } = parseArgs({ allowPositionals: true })
const chosen = positionals.length > 0 ? positionals : FRAMEWORKS
const unknown = chosen.filter((framework) => !FRAMEWORKS.includes(framework))
if (unknown.length > 0)
  throw new Error(`The page has ${FRAMEWORKS.join(', ')}, but not ${unknown.join(', ')}`)

/** Without the variables that `npm run` sets for this project: the page's npm would use them. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(?:npm_(?:package|lifecycle|command|execpath|node|config_(?:local|strict|omit))|INIT_CWD$)/.test(
          name,
        ),
    ),
  ),
  PATH: [dirname(process.execPath), pathWithoutProject()].join(delimiter),
  NO_COLOR: '1',
}

/** A shell, like the reader's terminal. */
class Terminal {
  readonly #shell: ChildProcess
  #output = ''
  #typed = 0
  #ended = false

  constructor(folder: string) {
    // A process group of its own, so that its children end with it.
    this.#shell = spawn('sh', ['-e'], { cwd: folder, env, detached: true, stdio: 'pipe' })
    this.#shell.stdout!.on('data', (chunk) => this.#hear(chunk))
    this.#shell.stderr!.on('data', (chunk) => this.#hear(chunk))
    this.#shell.once('exit', () => {
      this.#ended = true
    })
  }

  /** Resolves once all promised output appeared, or without such output once the commands are done. @throws {Error} with the output. */
  async type({ commands, seen }: GuideCommands): Promise<void> {
    const before = this.#output.length
    const done = `-- done ${++this.#typed} --`
    this.#shell.stdin!.write(`{\n${commands}\n} < /dev/null\necho '${done}'\n`)

    const giveUpAt = performance.now() + PATIENCE_IN_MS
    for (;;) {
      const output = this.#output.slice(before)
      const isDone = output.includes(done)
      const missing = lineNotSeen(seen, output)
      if (missing === undefined && (isDone || seen.length > 0)) return
      if (this.#ended || isDone || performance.now() > giveUpAt) {
        throw new Error(
          `after\n\n${commands}\nexpected ${missing ?? 'the end of the commands'}, but saw\n\n${output}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async close(): Promise<void> {
    if (this.#ended) return
    const exit = once(this.#shell, 'exit')
    signal('SIGTERM', this.#shell.pid!)
    await exit
    // The shell ends at once. Its children are still stopping.
    while (signal(0, this.#shell.pid!)) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  #hear(chunk: unknown): void {
    this.#output += String(chunk)
  }
}

await assertFree(PORTS)
const workplace = await mkdtemp(join(tmpdir(), 'countersign-guide-'))
try {
  // If root runs this, the embedded database runs under another account, which needs access.
  await chmod(workplace, 0o755)
  const packed = await timed('pack service and kit', () => pack(workplace))
  for (const framework of chosen) {
    const folder = join(workplace, framework)
    await mkdir(folder)
    for (const name of packed) await copyFile(join(workplace, name), join(folder, name))
    await timed(`the whole page, with ${framework}`, () => follow(framework, folder))
  }
} finally {
  await rm(workplace, { recursive: true, force: true })
}

async function follow(framework: string, folder: string): Promise<void> {
  const project = join(folder, 'payments')
  const terminals = new Map<number, Terminal>()
  try {
    for (const step of await readGuide()) {
      if (step.framework !== undefined && step.framework !== framework) continue
      if (step.kind === 'file') {
        await writeFile(join(project, step.name), step.content)
        continue
      }
      const terminal = terminals.get(step.terminal) ?? new Terminal(folder)
      terminals.set(step.terminal, terminal)
      await timed(`  terminal ${step.terminal}: ${lastLine(step.commands)}`, () => terminal.type(step))
    }
    await assertScriptsServed('http://127.0.0.1:4001/countersign/countersign-dialog.js')
    const forced = ['express', 'fastify']
      .filter((other) => other !== framework)
      .filter((other) => existsSync(join(project, 'node_modules', other)))
    if (forced.length > 0)
      throw new Error(`an install for ${framework} also installs ${forced.join(' and ')}`)
  } finally {
    await Promise.all([...terminals.values()].map((terminal) => terminal.close()))
  }
}

/** Requests a module as a browser does, with everything that it imports. */
async function assertScriptsServed(url: string, asked = new Set<string>()): Promise<void> {
  if (asked.has(url)) return
  asked.add(url)
  const response = await fetch(url)
  const type = response.headers.get('Content-Type') ?? ''
  if (!response.ok || !type.startsWith('text/javascript')) {
    throw new Error(`${url} answers ${response.status}, ${type}`)
  }
  for (const [, name] of (await response.text()).matchAll(/(?:from|import) ['"]([^'"]+)['"]/g)) {
    await assertScriptsServed(new URL(name!, url).href, asked)
  }
}

/** The names of the files. */
async function pack(folder: string): Promise<readonly string[]> {
  const both = ['--include-workspace-root', '--workspace', '@countersign/kit']
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', ...both, '--json', '--pack-destination', folder],
    {
      cwd: PROJECT,
      env: { ...env, PATH: process.env.PATH },
    },
  )
  // The output of the build precedes the JSON.
  return [...stdout.matchAll(/"filename": "([^"]+)"/g)].map(([, name]) => name!)
}

async function assertFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening').catch((error) => {
      throw new Error(`The page needs port ${port}, which is in use`, { cause: error })
    })
    server.close()
    await once(server, 'close')
  }
}

async function timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const begin = performance.now()
  const result = await work()
  console.log(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${what}`)
  return result
}

/** Whether the group had a process that got the signal. */
function signal(name: NodeJS.Signals | 0, group: number): boolean {
  try {
    return process.kill(-group, name)
  } catch {
    return false
  }
}

function lastLine(commands: string): string {
  return commands.trimEnd().split('\n').at(-1)!.trim()
}

/** A reader does not have this project's programs. */
function pathWithoutProject(): string {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(PROJECT))
    .join(delimiter)
}
