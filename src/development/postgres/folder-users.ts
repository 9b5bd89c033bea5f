import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, serverFiles } from './running-server.ts'

/** Records that this process uses the server of the folder. */
export async function joinFolderUsers(folder: string): Promise<void> {
  await writeFile(ownFile(folder), '')
}

/**
 * Removes the record, and returns true if no other living process has one. A killed process counts as living if its process id was
 * reused. The server then keeps running until its next user stops it.
 */
export async function leaveFolderUsers(folder: string): Promise<boolean> {
  await rm(ownFile(folder), { force: true })
  const others = await readdir(serverFiles(folder).users)
  return !others.some((processId) => isAlive(Number(processId)))
}

function ownFile(folder: string): string {
  return join(serverFiles(folder).users, String(process.pid))
}
