import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { call } from '../../test/support/http-call.ts'
import { filledIn, queriesOf, readDashboard } from '../../tools/dashboard/dashboard.ts'
import { seedUsers } from '../bench/countersign.ts'
import { layGround } from '../bench/ground.ts'
import { MailSystems } from '../chaos/mail-systems.ts'
import { pathOf } from '../programs.ts'
import { AlertWatch } from './alert-watch.ts'
import { Bank, CLIENT } from './bank.ts'
import { EventEndpoint } from './event-endpoint.ts'
import * as faults from './faults.ts'
import { startPrometheus } from './prometheus-server.ts'
import { ServiceUnderProof } from './service-under-proof.ts'
import { alertsOf, shortened } from './shortened-rules.ts'

/*
 * `npm run alerts:prove`: runs the service in production mode, with mail systems, users and a real Prometheus. It injects the fault
 * of each alert, and shows that the alert does not fire before the fault, fires during it, and ends after it. Exits with 1 if one
 * alert did not, or if a panel of the dashboard never showed anything.
 *
 * To save hours, the rules are a copy in which each window and each `for` is a sixtieth as long, but at least four scrapes of three
 * seconds. A scrape needs three seconds, because it waits two for a database that hangs. Thresholds stay.
 */

const FACTOR = 60
const SCRAPE_INTERVAL_IN_SECONDS = 3
const WINDOW_IN_SECONDS = 4 * SCRAPE_INTERVAL_IN_SECONDS
const QUIET_TIMEOUT_IN_SECONDS = 120
const FIRE_TIMEOUT_IN_SECONDS = 120
const WEBHOOK = 'postmark:a password of the proof'

interface Proof {
  readonly alert: string
  readonly title: string
  readonly firedBefore: boolean
  /** In seconds since the fault began, and since its repair began. */
  readonly firesAfter: number | undefined
  readonly endsAfter: Promise<number | undefined>
}

const rules = readFileSync(new URL('../../deploy/prometheus/countersign.rules.yaml', import.meta.url), 'utf8')
const startedAt = performance.now()
const say = (line: string) =>
  console.log(`${String(Math.round((performance.now() - startedAt) / 1000)).padStart(4)} s  ${line}`)
const closers: (() => Promise<unknown>)[] = []
const interrupted = Promise.withResolvers<never>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.reject(new Error('Interrupted')))
}
process.exitCode = 1
try {
  process.exitCode = (await Promise.race([prove(), interrupted.promise])) ? 0 : 1
} catch (error) {
  console.error(error)
}
for (const close of closers.toReversed()) await close().catch(console.error)
// Ignore errors of work that was in progress when the proof failed.
process.exit()

async function prove(): Promise<boolean> {
  pathOf('prometheus')
  const place = await stage()
  const prometheus = await startPrometheus({
    ...{ folder: place.ground.folder, port: await freePort(), target: place.target },
    rules: shortened(rules, { factor: FACTOR, shortestWindowInSeconds: WINDOW_IN_SECONDS }),
    scrapeIntervalInSeconds: SCRAPE_INTERVAL_IN_SECONDS,
  })
  closers.push(() => prometheus.stop())
  place.bank.open()
  closers.push(() => place.bank.close())
  // Before the first scrape, Prometheus has no metrics, and an alert says so.
  await wait(WINDOW_IN_SECONDS * 1000)
  const watch = new AlertWatch(prometheus)
  watch.start()
  closers.push(() => watch.stop())

  await wait(WINDOW_IN_SECONDS * 1000)
  say(`on an ordinary day ${watch.everFired.size === 0 ? 'nothing' : [...watch.everFired]} fires`)
  const quiet = watch.everFired.size === 0

  const proofs = await proofsOf(place, watch)
  const shown = await report(proofs)
  const empty: string[] = []
  for (const { title, expr } of queriesOf(readDashboard())) {
    if ((await prometheus.samplesOf(filledIn(expr, `${WINDOW_IN_SECONDS}s`))) === 0) empty.push(title)
  }
  say(`panels without anything to show: ${empty.length === 0 ? 'none' : empty.join(', ')}`)
  const unproven = alertsOf(rules).filter((name) => !proofs.some(({ alert }) => alert === name))
  if (unproven.length > 0) say(`without a fault: ${unproven.join(', ')}`)
  return quiet && shown && empty.length === 0 && unproven.length === 0
}

/** Independent faults run at the same time. The others run one after the other. */
async function proofsOf(place: faults.Place, watch: AlertWatch): Promise<Proof[]> {
  const proofs: Proof[] = []
  const together = async (...all: readonly faults.Fault[]) => {
    await Promise.all(
      all.map(async (fault) => {
        proofs.push(...(await proofOf(fault, place, watch)))
      }),
    )
  }
  await together(
    faults.SILENT_WEBHOOK,
    faults.STUCK_PURGE,
    faults.NO_ANCHORS,
    faults.GUESSES,
    faults.IMPATIENCE,
    faults.CHANGED_OPERATION,
    faults.FORGED_ROW,
    faults.FORGERY,
  )
  await together(faults.BOUNCES, faults.ONE_MAIL_SYSTEM_DOWN, faults.REFUSED_EVENTS)
  await together(faults.NO_MAIL_SYSTEM, faults.NO_CPU, faults.GONE_ENDPOINT)
  await together(faults.HELD_ROWS, faults.EARLY_VERSION)
  await together(faults.LATE_BACKLOG)
  await together(faults.REFUSED_MAILS, faults.HELD_EVENTS)
  await together(faults.LOCKED_TABLE)
  await together(faults.NO_DATABASE)
  await together(faults.DYING_WORKERS)
  await together(faults.DEAD_SERVICE)
  await together(faults.LOST_KEY)
  return proofs
}

async function proofOf(fault: faults.Fault, place: faults.Place, watch: AlertWatch): Promise<Proof[]> {
  const { title, alerts } = fault
  await Promise.all(alerts.map((alert) => watch.until(alert, false, QUIET_TIMEOUT_IN_SECONDS)))
  const firedBefore = alerts.filter((alert) => watch.firing.has(alert))

  say(`${title} …`)
  const firing = alerts.map((alert) => watch.until(alert, true, FIRE_TIMEOUT_IN_SECONDS))
  const mend = await fault.inject(place)
  const times = await Promise.all(firing)
  const mending = mend()
  const ending = alerts.map((alert) => watch.until(alert, false, QUIET_TIMEOUT_IN_SECONDS))
  await mending
  say(`… ${title}: over`)

  return alerts.map((alert, index) => ({
    alert,
    title,
    firedBefore: firedBefore.includes(alert),
    firesAfter: times[index],
    endsAfter: ending[index]!,
  }))
}

/** Prints the result. True if everything was proven. */
async function report(proofs: readonly Proof[]): Promise<boolean> {
  const seconds = (time: number | undefined) => (time === undefined ? 'never' : `${time.toFixed(0)} s`)
  const rows: string[][] = []
  let shown = true
  for (const { alert, title, firedBefore, firesAfter, endsAfter } of proofs) {
    const ended = await endsAfter
    shown &&= !firedBefore && firesAfter !== undefined && ended !== undefined
    rows.push([alert, title, firedBefore ? 'fires' : 'quiet', seconds(firesAfter), seconds(ended)])
  }
  const table = [['alert', 'fault', 'before', 'fires after', 'ends after'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  console.log('')
  for (const row of table) console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '))
  console.log('')
  return shown
}

/** The service with everything that it depends on, and its users. */
async function stage(): Promise<faults.Place & { readonly target: string }> {
  const ground = await layGround({ fsync: 'off' })
  closers.push(() => ground.leave())
  const databaseUrl = await ground.createDatabase('proof', 'migrated')
  await seedUsers(await ground.client(databaseUrl), Bank.USERS)

  const [port, managementPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const headers = { Authorization: `Basic ${Buffer.from(WEBHOOK).toString('base64')}` }
  const mails = new MailSystems(async (report) => {
    await call(url, 'POST', '/webhooks/postmark', { headers, json: report }).catch(() => {})
  })
  const { postmarkUrl, smtpUrl } = await mails.start()
  closers.push(() => mails.stop())
  const endpoint = new EventEndpoint()
  const endpointUrl = await endpoint.start()
  closers.push(() => endpoint.stop())
  const service = new ServiceUnderProof(ground, databaseUrl, {
    PORT: String(port),
    MANAGEMENT_PORT: String(managementPort),
    MAIL_TRANSPORT: 'postmark,smtp',
    SMTP_URL: smtpUrl,
    POSTMARK_API_URL: postmarkUrl,
    POSTMARK_SERVER_TOKEN: 'a token of the proof',
    POSTMARK_WEBHOOK_AUTH: WEBHOOK,
    WEBHOOKS: JSON.stringify({ [CLIENT]: endpointUrl }),
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  })
  await service.start()
  closers.push(() => service.stop())
  const codes = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  codes.on('error', () => {})
  closers.push(() => codes.end())
  const bank = new Bank(ground, url, mails, codes)
  return { ground, service, bank, mails, endpoint, databaseUrl, target: `127.0.0.1:${managementPort}` }
}
