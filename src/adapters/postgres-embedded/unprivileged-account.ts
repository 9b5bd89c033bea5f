import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

/** Whom the server's programs run as, in the form that node:child_process takes. */
export type Account = { readonly uid: number; readonly gid: number } | Record<string, never>

const run = promisify(execFile)
const NAME = 'postgres'

/**
 * The account to run PostgreSQL as: our own, unless we are root, which PostgreSQL refuses to run as. Then it is
 * the account `postgres`, made if there is none.
 *
 * @throws {Error} naming the folder, if the account cannot get to `folder`.
 */
export async function unprivilegedAccount(folder: string): Promise<Account> {
  if (process.getuid?.() !== 0) return {}

  const account = (await lookUp()) ?? (await make())
  await assertReachable(folder, account)
  return account
}

async function lookUp(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => run('id', [what, NAME])))
    return { uid: Number(uid!.stdout), gid: Number(gid!.stdout) }
  } catch {
    return undefined
  }
}

async function make(): Promise<Account> {
  await run('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    NAME,
  ]).catch(() => {})
  const account = await lookUp()
  if (account) return account
  throw new Error(
    `PostgreSQL does not run as root and the account ${NAME} could not be made: make it, run as another user, or set DATABASE_URL`,
  )
}

/** Every folder above must let the account through; the folder itself is made for it. */
async function assertReachable(folder: string, { uid, gid }: Account): Promise<void> {
  for (let parent = dirname(folder); parent !== dirname(parent); parent = dirname(parent)) {
    const found = await stat(parent).catch(() => undefined)
    if (!found) continue
    const bit = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001
    if ((found.mode & bit) === 0) {
      throw new Error(
        `PostgreSQL runs as ${NAME} here, which may not enter ${parent}: chmod o+x ${parent}, or set DATA_DIR to a folder elsewhere, or DATABASE_URL`,
      )
    }
  }
}
