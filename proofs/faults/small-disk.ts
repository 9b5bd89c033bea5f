import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDataDir } from '../../test/journeys/service-process.ts'

const execute = promisify(execFile)

/** A file system of its own that a test may fill up. */
export interface SmallDisk {
  readonly path: string
  /** Leaves no room for a single page. */
  fill(): Promise<void>
  /** Makes the room that `fill` took free again. */
  clear(): Promise<void>
  remove(): Promise<void>
}

/** Undefined where this process may not mount a file system: that takes Linux and root, and a container may lack the right. */
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
        // The large pieces leave what the small ones take.
        for (const bytes of [2 ** 20, 2 ** 12]) await writeUntilFull((chunk) => file.write(chunk), bytes)
      } finally {
        await file.close()
      }
    },
    clear: () => rm(filler, { force: true }),
    remove: async () => {
      // What is still ending may have files open.
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
