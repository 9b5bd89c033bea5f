import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { figure, median } from '../statistics.ts'
import type { Cluster } from './cluster.ts'
import { type Recovery, recoveryFrom } from './recovery.ts'
import { type Scene, setScene } from './scene.ts'

/*
 * `npm run ha:prove`: three nodes of Patroni with the files of deploy/, HAProxy, and two processes of the service under load. It hands
 * the primary's role over, kills the primary, and kills PostgreSQL of the primary alone, several times each. After each it compares
 * every answer with the new primary. Then it cuts replication before it kills a primary: once with synchronous replication, where
 * nothing may be lost, and once without, to show what is. It needs Debian's patroni, etcd-server, haproxy and postgresql-15, and
 * installs no service on the machine.
 */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, users: { type: 'string', default: '12' } },
})
/** How long the service works undisturbed before each event. */
const CALM_IN_MS = 8000
/** After everything is whole again. */
const AFTERMATH_IN_MS = 8000
/** How long decisions go on, or try to, while no standby hears of them. */
const CUT_IN_MS = 1000
/** Approvals that were given so shortly before an event, or during it, are presented again after it. */
const RECENT_IN_MS = 3000

const EVENTS: Readonly<Record<string, (cluster: Cluster) => Promise<string | undefined>>> = {
  switchover: async (cluster) => {
    await cluster.switchover()
    return undefined
  },
  'primary killed': (cluster) => cluster.killPrimary(),
  'PostgreSQL killed': async (cluster) => {
    await cluster.killPostgres()
    return undefined
  },
}

const broken = new Set<string>()
await proveRecovery()
await proveLoss()
if (broken.size > 0) process.exitCode = 1

async function proveRecovery(): Promise<void> {
  const scene = await setScene()
  const recoveries: Record<string, Recovery[]> = {}
  try {
    console.log(scene.cluster.versions)
    await scene.users.start(Number(values.users))
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const [name, cause] of Object.entries(EVENTS)) {
        const recovery = await afterEvent(scene, cause)
        recoveries[name] = [...(recoveries[name] ?? []), recovery]
        console.log(`${name} ${round}`.padEnd(22), inWords(recovery))
        report(await scene.disagreements())
      }
    }
    await scene.users.end()
    await scene.mailsSent()
    await scene.ready()
    report(await scene.disagreements())

    const { ledger, cluster } = scene
    const count = (wanted: string) => ledger.attempts.filter(({ outcome }) => outcome === wanted).length
    console.log(`
${ledger.attempts.length} requests: ${count('decided')} decided, ${count('unavailable')} answered 503, ${count('cut')} not answered
${ledger.journeys} journeys; ${ledger.approvals.size} challenges consumed; ${ledger.mailed.size} codes mailed
${await cluster.rewinds()} times a former primary was rewound`)
    for (const [name, all] of Object.entries(recoveries)) {
      const seconds = (of: (recovery: Recovery) => number) => {
        const sorted = all.map((each) => of(each) / 1000)
        return `${figure(median(sorted))} s (${figure(Math.min(...sorted))} to ${figure(Math.max(...sorted))})`
      }
      console.log(
        `${name}: answers after ${seconds(({ answeredInMs }) => answeredInMs)}, p99 as before after ${seconds(({ normalInMs }) => normalInMs)}, ${median(all.map(({ failed }) => failed))} failed requests`,
      )
    }
  } finally {
    await scene.leave()
  }
}

/** Runs calm, event and aftermath, and presents the last approvals before the event once more. */
async function afterEvent(
  { cluster, ledger, users }: Scene,
  cause: (cluster: Cluster) => Promise<string | undefined>,
): Promise<Recovery> {
  const beganAt = performance.now()
  await wait(CALM_IN_MS)
  const eventAt = performance.now()
  const dead = await cause(cluster)
  const happenedAt = performance.now()
  if (dead) await cluster.successorOf(dead)
  await users.calm()
  if (dead) await cluster.revive(dead)
  await cluster.whole()
  const recent = [...ledger.consumedAt].filter(([, at]) => at > eventAt - RECENT_IN_MS && at <= happenedAt)
  await users.presentAgain(recent.map(([id]) => id))
  await wait(AFTERMATH_IN_MS)
  return recoveryFrom(ledger.attempts, beganAt, eventAt)
}

/** Kills a primary that no standby has heard of for a moment. */
async function proveLoss(): Promise<void> {
  const scene = await setScene({ links: true })
  const { cluster, ledger, users } = scene
  try {
    await users.start(Number(values.users))
    for (const synchronous of [true, false]) {
      await cluster.synchronous(synchronous)
      const before = new Set(await scene.disagreements())
      await afterEvent(scene, async () => {
        const mend = await cluster.cutReplication()
        await wait(CUT_IN_MS)
        const dead = await cluster.killPrimary()
        await mend()
        return dead
      })
      const found = (await scene.disagreements()).filter((each) => !before.has(each))
      const how = synchronous ? 'synchronous' : 'asynchronous'
      console.log(
        `\n${how} replication, cut for ${CUT_IN_MS} ms before the primary died: ${found.length} broken promises`,
      )
      if (synchronous) report(found)
      else for (const [kind, count] of kindsOf(found)) console.log(`  ${count} × ${kind}`)
    }
    console.log(`${ledger.journeys} journeys`)
    await users.end()
  } finally {
    await scene.leave()
  }
}

function report(disagreements: readonly string[]): void {
  const fresh = disagreements.filter((each) => !broken.has(each))
  for (const each of fresh) broken.add(each)
  for (const each of fresh.slice(0, 20)) console.log(`  broken: ${each}`)
}

function kindsOf(disagreements: readonly string[]): Map<string, number> {
  const kinds = new Map<string, number>()
  for (const each of disagreements) {
    const kind = each.replaceAll(/[0-9a-f-]{36}/g, '…').replaceAll(/"[^"]*"/g, '"…"')
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  return kinds
}

function inWords({ answeredInMs, normalInMs, failed, p99Before }: Recovery): string {
  const [answered, normal] = [answeredInMs, normalInMs].map((ms) => figure(ms / 1000))
  return `answers after ${answered} s, p99 as before (${figure(p99Before)} ms) after ${normal} s, ${failed} failed requests`
}
