import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { endProcess } from '../processes.ts'
import { pathOf } from '../programs.ts'
import { configuration } from './configuration.ts'

/** Debian's `nobody`, because PgBouncer refuses to run as root. */
const NOBODY = 65_534

/** PgBouncer with the configuration of deploy/, in front of one database. */
export async function startPgBouncer(
  parent: string,
  databaseUrl: string,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const folder = join(parent, 'pgbouncer')
  await mkdir(folder)
  await chmod(folder, 0o755)
  const port = await freePort()
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl)
  const database = pathname.slice(1)
  const login = `user=${username}${password && ` password=${decodeURIComponent(password)}`}`
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(
    file,
    await configuration(
      'pgbouncer/pgbouncer.ini',
      [
        /^countersign = .*$/m,
        `${database} = host=${hostname} port=${serverPort} dbname=${database} ${login}`,
      ],
      [/^listen_addr = .*$/m, 'listen_addr = 127.0.0.1'],
      [/^listen_port = .*$/m, `listen_port = ${port}\nunix_socket_dir =`],
      [/^auth_type = .*$/m, 'auth_type = any'],
      [/^auth_file = .*$/m, ''],
    ),
  )
  const child = spawn(pathOf('pgbouncer'), ['-q', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(process.getuid?.() === 0 && { uid: NOBODY, gid: NOBODY }),
  })
  return {
    url: `postgresql://${username}@127.0.0.1:${port}/${database}?pgbouncer=true`,
    stop: () => endProcess(child, 'SIGINT'),
  }
}
