import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs'
import { access, chmod, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBrotliDecompress } from 'node:zlib'
import { extract } from 'tar-fs'

/** A Chromium that can be launched, and the folder of the libraries that it needs besides the machine's. */
export interface UnpackedChromium {
  readonly executablePath: string
  /** Undefined if the machine has all libraries. */
  readonly libraries: string | undefined
}

/** Whether the package has a Chromium for this machine. */
export const isChromiumPackaged = process.platform === 'linux' && process.arch === 'x64'

const PACKAGE = new URL('../', import.meta.resolve('@sparticuz/chromium'))
const ARCHIVES = new URL('bin/', PACKAGE)
const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as { version: string }

/**
 * Where to unpack it: the first folder that works. The package itself would use `/tmp`, which all users of a machine share. The home
 * folder is for users who may read the project but not write to it.
 */
const PLACES = [
  () => fileURLToPath(new URL(`../../.cache/countersign/chromium-${version}`, PACKAGE)),
  () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), `countersign/chromium-${version}`),
]

/**
 * The Chromium that npm installs as an archive. The first process unpacks it.
 *
 * @throws {AggregateError} if no folder works. It holds a reason for each, such as a full disk, or one that runs no programs.
 */
export async function packagedChromium(
  archives: URL = ARCHIVES,
  places: readonly (() => string)[] = PLACES,
): Promise<UnpackedChromium> {
  const reasons: unknown[] = []
  for (const place of places) {
    try {
      const folder = place()
      const executablePath = join(folder, 'chromium')
      if (!existsSync(executablePath)) await unpack(archives, folder)
      await access(executablePath, constants.X_OK)
      return { executablePath, libraries: (await starts(executablePath)) ? undefined : join(folder, 'lib') }
    } catch (reason) {
      reasons.push(reason)
    }
  }
  throw new AggregateError(reasons, `Chromium can be unpacked nowhere: ${reasons.join('; ')}`)
}

/** The folder gets its name when it is complete, so that no process finds half a browser. */
async function unpack(archives: URL, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const unnamed = await mkdtemp(`${folder}-`)
  try {
    await pipeline(
      createReadStream(new URL('chromium.br', archives)),
      createBrotliDecompress(),
      createWriteStream(join(unnamed, 'chromium'), { mode: 0o755 }),
    )
    await pipeline(
      createReadStream(new URL('al2023.tar.br', archives)),
      createBrotliDecompress(),
      extract(unnamed),
    )
    await chmod(unnamed, 0o755)
    await rename(unnamed, folder)
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(join(folder, 'chromium'))) throw error
  } finally {
    await rm(unnamed, { recursive: true, force: true })
  }
}

/** The exit code of Linux's loader if a program lacks a library. */
const LIBRARY_MISSING = 127

async function starts(executablePath: string): Promise<boolean> {
  try {
    await promisify(execFile)(executablePath, ['--version'])
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === LIBRARY_MISSING) return false
    throw error
  }
}
