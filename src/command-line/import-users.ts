import { stat } from 'node:fs/promises'
import { SingleBar } from 'cli-progress'
import { userFile } from '../adapters/user-files/user-file.ts'
import { ImportUsers } from '../application/users/import-users.ts'
import { withStorage } from '../composition/tooling.ts'
import { loadConfig } from '../config/read-config.ts'
import { type Output, print } from './terminal.ts'

/** Puts the users of a file into the directory. 1 if any line was rejected. */
export async function importUsers(
  path: string,
  { allOrNothing = false, ...output }: Output & { readonly allOrNothing?: boolean },
): Promise<number> {
  const config = loadConfig()
  await stat(path)
  return withStorage(config, async ({ registry, clock }) => {
    const bar = new SingleBar({ format: '  {value} lines  {bar}  {duration_formatted}', noTTYOutput: false })
    try {
      bar.start(await lineCount(path), 0)
      const report = await new ImportUsers(registry, clock).execute({
        lines: userFile(path),
        allOrNothing,
        onLine: () => bar.increment(),
      })
      bar.stop()

      const { created, updated, refused, warned } = report
      const lines = [
        ...warned.map(({ number, problem }) => `line ${number}: warning: ${problem}`),
        ...refused.map(({ number, problem }) => `line ${number}: ${problem}`),
      ]
      lines.push(`${created} created, ${updated} updated, ${refused.length} refused`)
      print(report, lines.join('\n'), output)
      return refused.length > 0 ? 1 : 0
    } finally {
      bar.stop()
    }
  })
}

async function lineCount(file: string): Promise<number> {
  let count = 0
  for await (const _ of userFile(file)) count++
  return count
}
