import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFolderAtomically } from './atomic-folder.ts'
import type { OsAccount } from './os-account.ts'
import { serverFiles } from './running-server.ts'
import type { RunProgram } from './server-programs.ts'

/** Parameters of postgresql.conf. */
export type ServerSettings = Readonly<Record<string, string>>

/** Creates a cluster in the folder with a new password, unless the folder exists. */
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
    // The only UTF-8 locale that is built into PostgreSQL. Locales of the operating system differ between machines.
    const text = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const durability = settings.fsync === 'off' ? ['--no-sync'] : []
    await run('initdb', `--pgdata=${cluster}`, ...access, ...text, ...durability)
  })
}

/** Replaces the whole configuration, so that no setting of an earlier start remains. */
export async function configure(folder: string, port: number, settings: ServerSettings): Promise<void> {
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...settings }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)

  const file = join(serverFiles(folder).cluster, 'postgresql.conf')
  const draft = `${file}.${process.pid}`
  await writeFile(draft, lines.join(''), { mode: 0o644 })
  // Rename it into place: another process may be starting the server at this moment.
  await rename(draft, file)
}
