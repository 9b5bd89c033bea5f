import { CONNECTIONS, countersignOf, Journeys, mailsSent, seedUsers, startCountersign } from './countersign.ts'
import { layGround } from './ground.ts'
import { drive } from './load.ts'

const only = process.argv[2] ?? 'all'
const size = Number(process.argv[3] ?? 3000)
const ground = await layGround()
const url = await ground.createDatabase('prof', 'migrated')
const client = await ground.client(url)
await seedUsers(client, size)
const program = await startCountersign(ground, url, 1, { NODE_OPTIONS: `--inspect=127.0.0.1:9333` })
const WS = (globalThis as any).WebSocket
const list = await (await fetch('http://127.0.0.1:9333/json/list')).json() as any
const ws = new WS(list[0].webSocketDebuggerUrl)
await new Promise((r) => ws.addEventListener('open', r))
let id = 0
const pending = new Map<number, (v: any) => void>()
ws.addEventListener('message', (m: any) => { const d = JSON.parse(m.data); pending.get(d.id)?.(d.result) })
const cmd = (method: string, params = {}) => new Promise<any>((r) => { pending.set(++id, r); ws.send(JSON.stringify({ id, method, params })) })
await cmd('Profiler.enable'); await cmd('Profiler.setSamplingInterval', { interval: 200 })
const { writeFileSync } = await import('node:fs')
const prof = async (name: string, run: () => Promise<any>) => {
  const on = rounds > 0 && (only === 'all' || only === name)
  if (on) await cmd('Profiler.start')
  const res = await run()
  if (on) { const { profile } = await cmd('Profiler.stop'); writeFileSync(`/tmp/prof-${name}.cpuprofile`, JSON.stringify(profile)) }
  return res
}
let rounds = 0
for (; rounds < 2; rounds++) {
  const j = await Journeys.prepare(ground, client, size)
  const load = (r: readonly Buffer[]) => drive([program.url], r, CONNECTIONS)
  const create = await prof('create', () => load(j.creating()))
  j.created(create.bodies)
  await prof('initiate', () => load(j.initiating()))
  await mailsSent(client)
  const v = await j.verifying()
  await prof('verify', () => load(v))
  await prof('consume', () => load(j.consuming()))
}
await program.stop(); await ground.leave(); process.exit(0)
