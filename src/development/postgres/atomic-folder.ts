import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { isAlive } from './running-server.ts'

/**
 * Creates a folder unless it exists. The folder is filled before it gets its name, so it never exists in part. If several processes
 * try, the first one's folder stays. Drafts of killed processes are removed.
 */
export async function createFolderAtomically(
  folder: string,
  fill: (draft: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return
  await mkdir(dirname(folder), { recursive: true })
  await removeAbandonedDrafts(folder)

  const draft = `${folder}.draft-${process.pid}`
  await mkdir(draft)
  try {
    await fill(draft)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}

async function removeAbandonedDrafts(folder: string): Promise<void> {
  const parent = dirname(folder)
  for (const name of await readdir(parent)) {
    const [prefix, processId] = name.split('.draft-')
    if (prefix !== basename(folder) || processId === undefined) continue
    const abandoned = Number(processId) === process.pid || !isAlive(Number(processId))
    // A program that the killed process started may still write for a moment.
    if (abandoned) await rm(`${parent}/${name}`, { recursive: true, force: true, maxRetries: 5 })
  }
}
