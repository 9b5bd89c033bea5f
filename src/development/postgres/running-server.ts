import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files in the folder of a server. */
export function serverFiles(folder: string) {
  return {
    cluster: join(folder, 'cluster'),
    password: join(folder, 'password'),
    log: join(folder, 'server.log'),
    /** One file for each process that uses the server, named after its process id. */
    users: join(folder, 'users'),
  }
}

export interface RunningServer {
  readonly url: string
  /** False while the server starts or stops. */
  readonly ready: boolean
  readonly port: number
}

/**
 * Finds the server that runs in the folder, and starts none. After a crash of the whole machine, the remaining files look like a
 * running server if another process has the same process id.
 */
export function findRunningServer(folder: string): RunningServer | undefined {
  const { cluster, password } = serverFiles(folder)
  const lockFile = readIfThere(join(cluster, 'postmaster.pid'))
  if (lockFile === undefined) return undefined

  // The lines are process id, data folder, start time, port, socket folder, address, shared memory and status.
  const [processId, , , port, , , , status] = lockFile.split('\n')
  if (!isAlive(Number(processId))) return undefined
  return {
    url: `postgresql://countersign:${readFileSync(password, 'utf8')}@127.0.0.1:${port}/postgres`,
    port: Number(port),
    ready: status?.trim() === 'ready',
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function isAlive(processId: number): boolean {
  // Not a number if the file is incomplete. 0 would signal the process group of the caller.
  if (!(processId > 0)) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // A process of another account may not be signalled, but it exists.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
