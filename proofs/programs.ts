import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The programs, and the Debian packages that contain them. */
const PACKAGES = {
  etcd: 'etcd-server',
  haproxy: 'haproxy',
  nginx: 'nginx-light',
  patroni: 'patroni',
  patronictl: 'patroni',
  pg_rewind: 'postgresql-15',
  pgbouncer: 'pgbouncer',
  prometheus: 'prometheus',
  promtool: 'prometheus',
} as const

/** For root, and for each version of PostgreSQL. */
const DEBIAN_FOLDERS = ['/usr/sbin', ...globSync('/usr/lib/postgresql/*/bin')]

/** The path of a program, from the PATH or these folders of Debian. @throws {Error} that names the package to install. */
export function pathOf(program: keyof typeof PACKAGES): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...DEBIAN_FOLDERS]) {
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
