import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The programs, and the Debian packages that contain them. */
const PACKAGES = {
  nginx: 'nginx-light',
  pgbouncer: 'pgbouncer',
  prometheus: 'prometheus',
  promtool: 'prometheus',
} as const

/** The path of a program, from the PATH or Debian's folders for root. @throws {Error} that names the package to install. */
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
    `${program} is not on the PATH. It is in Debian's package ${name}: apt-get install --no-install-recommends ${name}`,
  )
}
