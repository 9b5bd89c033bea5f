import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const NAME = 'postgres'

/** The operating-system account under which the server runs. */
export interface OsAccount {
  readonly uid: number
  readonly gid: number
}

/** The account for the server if this process runs as root, because PostgreSQL refuses to run as root. Undefined otherwise. */
export async function ensureOsAccount(): Promise<OsAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined
  return (await findAccount()) ?? (await createAccount())
}

async function findAccount(): Promise<OsAccount | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

async function createAccount(): Promise<OsAccount> {
  const created = run('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/bin/false',
    NAME,
  ])
  const failure = await created.then(
    () => undefined,
    (error: Error) => error,
  )
  // Look again even after a failure: another process may have created the account.
  const account = await findAccount()
  if (account) return account
  throw new Error(
    `PostgreSQL does not run as root, and the account "${NAME}" does not exist. Run this as another user, ` +
      'create that account, or set DATABASE_URL to your own PostgreSQL.',
    { cause: failure },
  )
}

/** Whether the account may enter the folder or run the program. */
export async function canEnter(account: OsAccount, path: string): Promise<boolean> {
  try {
    await run('test', ['-x', path], { uid: account.uid, gid: account.gid })
    return true
  } catch {
    return false
  }
}

/** Returns the outermost of the folder and its parents that the account may not enter. */
export async function outermostBarredFolder(account: OsAccount, folder: string): Promise<string | undefined> {
  const parent = dirname(folder)
  const barred = parent === folder ? undefined : await outermostBarredFolder(account, parent)
  return barred ?? ((await canEnter(account, folder)) ? undefined : folder)
}
