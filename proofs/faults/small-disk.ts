import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDataDir } from '../../test/journeys/service-process.ts'

const execute = promisify(execFile)

/** A separate file system that a test may fill up. */
export interface SmallDisk {
  readonly path: string
  /** Fills the disk until not a single page fits. */
  fill(): Promise<void>
  /** Frees the room that `fill` took. */
  clear(): Promise<void>
  remove(): Promise<void>
}

/** Undefined if this process may not mount a file system. That needs Linux and root, and some containers do not allow it. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | undefined> {
  const folder = await createDataDir()
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder.path])
  } catch {
    await folder.remove()
    return undefined
  }
  const filler = join(folder.path, 'filler')
  return {
    path: folder.path,
    fill: async () => {
      const file = await open(filler, 'a')
      try {
        // Small pieces fill the room that large ones leave.
        for (const bytes of [2 ** 20, 2 ** 12]) await writeUntilFull((chunk) => file.write(chunk), bytes)
      } finally {
        await file.close()
      }
    },
    clear: () => rm(filler, { force: true }),
    remove: async () => {
      // Processes that are still ending may have files open.
      await execute('umount', ['--lazy', folder.path])
      await folder.remove()
    },
  }
}

async function writeUntilFull(write: (chunk: Buffer) => Promise<unknown>, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(bytes)
  try {
    for (;;) await write(chunk)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
