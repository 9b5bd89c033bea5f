import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFolderAtomically } from './atomic-folder.ts'
import type { OsAccount } from './os-account.ts'
import { serverFiles } from './running-server.ts'
import type { RunProgram } from './server-programs.ts'

/** Parameters of postgresql.conf. */
export type ServerSettings = Readonly<Record<string, string>>

/** Creates the cluster in the folder, with a password of its own, unless there is one. */
export async function createCluster(
  folder: string,
  settings: ServerSettings,
  run: RunProgram,
  account?: OsAccount,
): Promise<void> {
  await createFolderAtomically(folder, async (draft) => {
    const { cluster, password, users } = serverFiles(draft)
    await mkdir(users)
    await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 })
    if (account) for (const path of [draft, password]) await chown(path, account.uid, account.gid)

    const access = ['--username=countersign', `--pwfile=${password}`, '--auth=scram-sha-256']
    // The one locale with UTF-8 that PostgreSQL has built in; those of the operating system differ.
    const text = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const durability = settings.fsync === 'off' ? ['--no-sync'] : []
    await run('initdb', `--pgdata=${cluster}`, ...access, ...text, ...durability)
  })
}

/** Writes the whole configuration, so that what was set for an earlier start is gone. */
export async function configure(folder: string, port: number, settings: ServerSettings): Promise<void> {
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...settings }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)

  const file = join(serverFiles(folder).cluster, 'postgresql.conf')
  const draft = `${file}.${process.pid}`
  await writeFile(draft, lines.join(''), { mode: 0o644 })
  // As a whole: another process may be starting the server at this moment.
  await rename(draft, file)
}
