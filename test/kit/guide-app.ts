import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../../src/development/postgres/free-port.ts'
import type { GuideStep } from './guide.ts'

/** A server of a page, as its reader runs it. */
export interface GuideApp {
  readonly url: string
  /** The lines that it has written so far. */
  readonly lines: readonly string[]
  end(): Promise<void>
}

interface AppOptions {
  readonly variables?: Readonly<Record<string, string>>
  /** What the server writes once it listens. */
  readonly listening?: string
}

/** Saves the files of a page, so that they find in a checkout what they import. */
export async function saveFiles(steps: readonly GuideStep[], folder: string): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'file') await writeFile(join(folder, step.name), resolved(step.content))
  }
}

/** Resolves once the server says that it listens. @throws {Error} with what it wrote, if it ends instead. */
export async function startApp(
  path: string,
  countersignUrl: string,
  { variables = {}, listening: announced = ' listen at ' }: AppOptions = {},
): Promise<GuideApp> {
  const port = await freePort()
  const server = spawn(process.execPath, [path], {
    cwd: dirname(path),
    env: { PATH: process.env.PATH, PORT: String(port), COUNTERSIGN_URL: countersignUrl, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const listening = Promise.withResolvers<void>()
  createInterface({ input: server.stdout }).on('line', (line) => {
    lines.push(line)
    if (line.includes(announced)) listening.resolve()
  })
  server.once('exit', (code) => listening.reject(new Error(`ended with ${code}: ${lines.join('\n')}`)))
  await listening.promise
  return { url: `http://127.0.0.1:${port}`, lines, end: () => ended(server) }
}

/** Imports of this package and of others, as the code in the guide finds them once it is installed. */
function resolved(code: string): string {
  return code.replaceAll(/ from '([^'.]+)'/g, (_, name: string) => {
    const kit = /^@countersign\/kit\/(\w+)$/.exec(name)?.[1]
    const url = kit
      ? new URL(`../../packages/kit/src/${kit}.ts`, import.meta.url).href
      : import.meta.resolve(name)
    return ` from '${url}'`
  })
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill()
  await exit
}
