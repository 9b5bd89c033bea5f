import { PurgeChallenges } from '../application/retention/purge-challenges.ts'
import { withStorage } from '../composition/tooling.ts'
import { loadConfig } from '../config/read-config.ts'
import { type Output, print } from './terminal.ts'

/** Deletes now what is past RETENTION_DAYS and TRAIL_RETENTION_DAYS. If it fails halfway, what it has deleted stays deleted, and it says how much. */
export async function purge(output: Output): Promise<number> {
  const config = loadConfig()
  return withStorage(config, async ({ retention, clock }) => {
    let purged = { challenges: 0, events: 0 }
    try {
      for await (purged of new PurgeChallenges(retention, clock, config.retention).execute());
      return 0
    } finally {
      print(purged, `${purged.challenges} challenges and ${purged.events} events deleted`, output)
    }
  })
}
