import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'

const CONFIGURATION = new URL('../', import.meta.url)

/** Debian's `nobody`, for what refuses to run as root; undefined where this does not. */
export const NOBODY = process.getuid?.() === 0 ? 65_534 : undefined

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a program of Debian's in the foreground. @throws {Error} that says what to install, if it is not there. */
export async function startDaemon(
  name: string,
  args: readonly string[],
  uid?: number,
): Promise<ChildProcess> {
  const child = spawn(name, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    ...(uid !== undefined && { uid, gid: uid }),
  })
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(`${name} does not start (${error.code}): apt-get install nginx-light pgbouncer`)
  })
  await Promise.race([once(child, 'spawn'), failed])
  failed.catch(() => {})
  return child
}

export async function endDaemon(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

/** A file of deploy/ with the addresses of a run. @throws {Error} where there is nothing to change any more. */
export async function configuration(
  path: string,
  ...changes: readonly (readonly [RegExp, string])[]
): Promise<string> {
  let text = await readFile(new URL(path, CONFIGURATION), 'utf8')
  for (const [pattern, replacement] of changes) {
    if (!pattern.test(text)) throw new Error(`${path} has nothing like ${pattern}`)
    text = text.replace(pattern, replacement)
  }
  return text
}
