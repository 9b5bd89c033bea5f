import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is where in the folder of a server. */
export function serverFiles(folder: string) {
  return {
    cluster: join(folder, 'cluster'),
    password: join(folder, 'password'),
    log: join(folder, 'server.log'),
    /** A file for each process that uses the server, named by its process id. */
    users: join(folder, 'users'),
  }
}

export interface RunningServer {
  readonly url: string
  /** False while it starts and while it stops. */
  readonly ready: boolean
  readonly port: number
}

/**
 * The server of the folder, if one is running; starts none. A crash of the whole machine leaves traces of a server that
 * look like a running one once its process id belongs to something else.
 */
export function findRunningServer(folder: string): RunningServer | undefined {
  const { cluster, password } = serverFiles(folder)
  const lockFile = readIfThere(join(cluster, 'postmaster.pid'))
  if (lockFile === undefined) return undefined

  // Its lines are the process id, data folder, start time, port, socket folder, address, shared memory and status.
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
  // Of a file that is being written or could not be; 0 would be the group of whoever asks.
  if (!(processId > 0)) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // Somebody else's process may not be signalled, but there it is.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
