import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program of Prometheus is. @throws {Error} that says what to install if it is not on the PATH. */
export function pathOf(program: 'prometheus' | 'promtool'): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // In another folder, perhaps.
    }
  }
  throw new Error(
    `There is no ${program} on the PATH. It comes with Debian's package prometheus: apt-get install --no-install-recommends prometheus`,
  )
}
