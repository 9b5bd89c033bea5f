import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What comes with which package of Debian's. */
const PACKAGES = {
  nginx: 'nginx-light',
  pgbouncer: 'pgbouncer',
  prometheus: 'prometheus',
  promtool: 'prometheus',
} as const

/** Where a program is. @throws {Error} that says what to install if it is not on the PATH, nor where Debian puts what is for root. */
export function pathOf(program: keyof typeof PACKAGES): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // In another folder, perhaps.
    }
  }
  const name = PACKAGES[program]
  throw new Error(
    `There is no ${program} on the PATH. It comes with Debian's package ${name}: apt-get install --no-install-recommends ${name}`,
  )
}
