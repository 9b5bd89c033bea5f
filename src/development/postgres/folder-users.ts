import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, serverFiles } from './running-server.ts'

/** Notes that this process uses the server of the folder. */
export async function joinFolderUsers(folder: string): Promise<void> {
  await writeFile(ownFile(folder), '')
}

/**
 * Takes the note back, and says whether no living process has one. A killed process counts as living if another has its
 * process id by now: the server then runs on, until somebody uses it next.
 */
export async function leaveFolderUsers(folder: string): Promise<boolean> {
  await rm(ownFile(folder), { force: true })
  const others = await readdir(serverFiles(folder).users)
  return !others.some((processId) => isAlive(Number(processId)))
}

function ownFile(folder: string): string {
  return join(serverFiles(folder).users, String(process.pid))
}
