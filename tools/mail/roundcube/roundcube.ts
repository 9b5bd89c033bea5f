import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Debian's `roundcube-core`, or what ROUNDCUBE names: the folder that has `program`. */
export const ROUNDCUBE = process.env.ROUNDCUBE ?? '/usr/share/roundcube'
const PHP = 'php'
const WASH = fileURLToPath(new URL('wash.php', import.meta.url))

/** Why no mail can be washed here. Undefined if one can. */
export const whyNoRoundcube = missing()

function missing(): string | undefined {
  if (!existsSync(join(ROUNDCUBE, 'program'))) return 'Roundcube is not installed'
  const modules = spawnSync(PHP, ['-m'], { encoding: 'utf8' }).stdout ?? ''
  return /^dom$/m.test(modules) && /^mbstring$/m.test(modules)
    ? undefined
    : 'PHP with dom and mbstring is not installed'
}

/** The HTML mails as they stand in Roundcube's page. */
export function washed(mails: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(PHP, ['-d', 'display_errors=stderr', WASH, ROUNDCUBE], {
    input: JSON.stringify(mails),
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  if (status !== 0) throw new Error(`Roundcube did not wash the mails: ${stderr || stdout}`)
  return JSON.parse(stdout)
}
