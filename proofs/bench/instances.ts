import { parseArgs } from 'node:util'
import type { Measured } from './contestant.ts'
import { countersignOf, seedUsers, startCountersign } from './countersign.ts'
import { layGround } from './ground.ts'
import { printSummaries, summaries } from './report.ts'

/*
 * `npm run bench:instances`: the same load on one, two and four processes of the service on one database, in turns.
 */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '4' }, size: { type: 'string', default: '3000' } },
})
const size = Number(values.size)

const ground = await layGround()
const results = new Map<string, Measured[][]>()
const all = []
try {
  for (const count of [1, 2, 4]) {
    const database = `instances_${count}`
    const url = await ground.createDatabase(database, 'migrated')
    const client = await ground.client(url)
    await seedUsers(client, size)
    const programs = []
    for (let n = 0; n < count; n++) programs.push(await startCountersign(ground, url, 1))
    all.push(
      countersignOf(ground, client, database, programs, count === 1 ? '1 process' : `${count} processes`),
    )
  }
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const contestant of round % 2 === 0 ? all : all.toReversed()) {
      const measured = await contestant.round(size)
      if (round > 0) results.set(contestant.name, [...(results.get(contestant.name) ?? []), [...measured]])
    }
  }
} finally {
  for (const contestant of all) await contestant.stop()
  await ground.leave()
}
printSummaries(summaries(new Map(all.map(({ name }) => [name, results.get(name)!]))))
