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
 * Follows `docs/integration.md` to the letter, once for each framework: packs service and kit, and in an empty folder types what the page says into
 * terminals, saves its files, and waits for what it says one sees. npm needs its registry for that, and the page's ports have to be free.
 * `node tools/package/prove-guide.ts koa` proves one of them.
 */

const FRAMEWORKS = ['koa', 'express', 'fastify']
const PORTS = [3000, 9464, 4000, 4001]
const PATIENCE_IN_MS = 300_000
const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

const { positionals } = parseArgs({ allowPositionals: true })
const chosen = positionals.length > 0 ? positionals : FRAMEWORKS
const unknown = chosen.filter((framework) => !FRAMEWORKS.includes(framework))
if (unknown.length > 0)
  throw new Error(`The page has ${FRAMEWORKS.join(', ')}, and not ${unknown.join(', ')}`)

/** Without what `npm run` tells of this project, which the page's npm would take for its own. */
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

/** A shell that is typed into, as the reader's is. */
class Terminal {
  readonly #shell: ChildProcess
  #output = ''
  #typed = 0
  #ended = false

  constructor(folder: string) {
    // A process group of its own, so that what it runs ends with it.
    this.#shell = spawn('sh', ['-e'], { cwd: folder, env, detached: true, stdio: 'pipe' })
    this.#shell.stdout!.on('data', (chunk) => this.#hear(chunk))
    this.#shell.stderr!.on('data', (chunk) => this.#hear(chunk))
    this.#shell.once('exit', () => {
      this.#ended = true
    })
  }

  /** Resolves once all is seen, of commands that show nothing once they are done. @throws {Error} with what was seen instead. */
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
        throw new Error(`after\n\n${commands}\nnobody sees ${missing ?? 'the end of it'}, but\n\n${output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async close(): Promise<void> {
    if (this.#ended) return
    const exit = once(this.#shell, 'exit')
    signal('SIGTERM', this.#shell.pid!)
    await exit
    // The shell ends at once. What it ran is still stopping.
    while (signal(0, this.#shell.pid!)) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  #hear(chunk: unknown): void {
    this.#output += String(chunk)
  }
}

await assertFree(PORTS)
const workplace = await mkdtemp(join(tmpdir(), 'countersign-guide-'))
try {
  // Run by root, the embedded database is another account's, which has to get in.
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
    if (forced.length > 0) throw new Error(`who uses ${framework} gets ${forced.join(' and ')} as well`)
  } finally {
    await Promise.all([...terminals.values()].map((terminal) => terminal.close()))
  }
}

/** Asks for a module as a browser does, and for all that it imports. */
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
  // Before the JSON stands what the build prints.
  return [...stdout.matchAll(/"filename": "([^"]+)"/g)].map(([, name]) => name!)
}

async function assertFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening').catch((error) => {
      throw new Error(`The page needs port ${port}, which is another process's`, { cause: error })
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

/** Whether a process of the group was there for the signal. */
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

/** A reader has none of this project's programs. */
function pathWithoutProject(): string {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(PROJECT))
    .join(delimiter)
}
