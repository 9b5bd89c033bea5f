import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The folder of the tools. Their lock file is separate, because they bring more packages than the service has. */
export const TOOLS = fileURLToPath(new URL('.', import.meta.url))

const LOCK = join(TOOLS, 'package-lock.json')
/** Holds the digest of the lock file that the installed tools come from. */
const INSTALLED = join(TOOLS, 'node_modules', '.installed')

const execute = promisify(execFile)

/** Installs the tools, unless those of this lock file are there. @throws {Error} with what npm says. */
export async function installTools(): Promise<void> {
  const digest = createHash('sha256')
    .update(await readFile(LOCK))
    .digest('hex')
  if ((await readFile(INSTALLED, 'utf8').catch(() => '')) === digest) return
  await execute('npm', ['ci'], { cwd: TOOLS, shell: process.platform === 'win32' })
  await writeFile(INSTALLED, digest)
}

/** The command `node <program of a tool>`: a tool as people run it. */
export function toolCommand(program: string): readonly [string, string] {
  return [process.execPath, join(TOOLS, 'node_modules', program)]
}

/** Runs a tool to its end, in the folder of the tools. @throws {Error} with all that it says if it fails. */
export async function runTool(program: string, args: readonly string[]): Promise<string> {
  const [node, path] = toolCommand(program)
  try {
    const { stdout } = await execute(node, [path, ...args], {
      cwd: TOOLS,
      timeout: 110_000,
      maxBuffer: 64 * 2 ** 20,
    })
    return stdout
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout?: string; stderr?: string }
    throw new Error([message, stdout, stderr].join('\n'))
  }
}
