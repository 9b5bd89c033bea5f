import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../bin/service.mjs', import.meta.url))

/** A service as an operator runs it: a process of its own, told by its environment alone. */
export interface ServiceProcess {
  readonly url: string
  readonly process: ChildProcess
  /** Everything it has written so far. */
  output(): string
  /** Sends the signal and resolves with the exit code, or the name of the signal that killed it. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

/**
 * A test file starts many services, and all of its tests begin together. On two cores, thirty starts at once take a minute each,
 * longer than a test waits for anything.
 */
const STARTS_AT_ONCE = 3
let starting = 0
const waiting: (() => void)[] = []

interface Start {
  readonly args?: readonly string[]
  readonly program?: string
  /** What the process says when it has started, with the URL that `url` will be. */
  readonly said?: 'ready' | 'management ready'
}

/** Starts the service and resolves when it says so. @throws {Error} with its output if it ends instead. */
export async function startProcess(env: Record<string, string>, start: Start = {}): Promise<ServiceProcess> {
  if (starting === STARTS_AT_ONCE) await new Promise<void>((turn) => waiting.push(turn))
  else starting++
  try {
    return await startNow(env, start)
  } finally {
    const next = waiting.shift()
    if (next) next()
    else starting--
  }
}

/** Starts a process that only delivers. Its URL is that of its management port, since it has no other. */
export const startDeliverer = (env: Record<string, string>) =>
  startProcess(env, { args: ['deliver'], said: 'management ready' })

async function startNow(
  env: Record<string, string>,
  { args = [], program = MAIN, said = 'ready' }: Start,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, PORT: '0', MANAGEMENT_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const ready = Promise.withResolvers<string>()
  let previousLine = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    output += `${line}\n`
    const url = /(?:ready at |"url":"|url: ")(http[^\s"]+)/.exec(line)
    // What development logs of a message comes in the lines below it.
    const isManagement = `${previousLine}${line}`.includes('management ready')
    if (url && isManagement === (said === 'management ready')) ready.resolve(url[1]!)
    previousLine = line
  })
  child.once('exit', (code) => ready.reject(new Error(`the service ended with ${code}: ${output}`)))
  return {
    url: await ready.promise,
    process: child,
    output: () => output,
    end: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode!
      const exit = once(child, 'exit')
      child.kill(signal)
      const [code, killedBy] = await exit
      return code ?? killedBy
    },
  }
}

/** A folder for keys and mailbox of services that belong together. */
export async function createDataDir(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'countersign-'))
  // Run by root, the embedded database is another account's, which has to get in.
  await chmod(path, 0o755)
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
