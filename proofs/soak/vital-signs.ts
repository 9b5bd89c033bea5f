import { readdir, readFile, readlink } from 'node:fs/promises'
import { median } from '../statistics.ts'

/** How a process is at one instant. Memory in MiB. */
export interface VitalSigns {
  readonly at: number
  readonly residentMemory: number
  readonly heap: number
  /** Without the connections that clients keep. */
  readonly openFiles: number
  readonly databaseConnections: number
}

type Sign = Exclude<keyof VitalSigns, 'at'>

/** How much more of each may be there at the end than at the beginning, of a life that is long enough to be warm at its beginning. */
const ROOM: Readonly<Record<Sign, (before: number) => number>> = {
  // The tokens that were verified are remembered, ten thousand at most, which may take an hour to come together.
  residentMemory: (before) => Math.max(32, 0.15 * before),
  heap: (before) => Math.max(24, 0.2 * before),
  openFiles: (before) => Math.max(12, 0.25 * before),
  // As many as a pool holds, and some.
  databaseConnections: (before) => Math.max(3, 10 - before),
}
/** What is compiled, cached and pooled comes in the first minutes, and is no leak. */
const WARM_AFTER_IN_MS = 5 * 60_000
/** A process that is not warm yet grows, but not by as much as this. */
const ROOM_TO_WARM_UP: Readonly<Record<Sign, number>> = {
  residentMemory: 160,
  heap: 160,
  openFiles: 60,
  databaseConnections: 0,
}

export interface Trend {
  readonly sign: Sign
  readonly before: number
  readonly after: number
}

/** Undefined if the process does not answer, which may be what is meant to happen to it. */
export async function vitalSignsOf(
  pid: number,
  url: string,
  managementUrl: string,
): Promise<VitalSigns | undefined> {
  try {
    const response = await fetch(`${managementUrl}/metrics`, { signal: AbortSignal.timeout(8000) })
    const text = await response.text()
    return {
      at: Date.now(),
      residentMemory: metric(text, 'process_resident_memory_bytes') / 2 ** 20,
      heap: metric(text, 'nodejs_heap_size_used_bytes') / 2 ** 20,
      openFiles: await openFilesOf(pid, Number(new URL(url).port)),
      databaseConnections: metric(text, 'countersign_database_connections'),
    }
  } catch {
    return undefined
  }
}

/** See proc(5). Clients keep as many connections as they had requests under way, which says nothing of the process. */
async function openFilesOf(pid: number, port: number): Promise<number> {
  const descriptors = await readdir(`/proc/${pid}/fd`)
  const files = await Promise.all(
    descriptors.map((each) => readlink(`/proc/${pid}/fd/${each}`).catch(() => '')),
  )
  const [, ...sockets] = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n')
  const localPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const ofClients = new Set(
    sockets
      .map((socket) => socket.trim().split(/\s+/))
      .filter(([, local]) => local?.endsWith(localPort))
      .map((fields) => `socket:[${fields[9]}]`),
  )
  return files.filter((file) => file !== '' && !ofClients.has(file)).length
}

/** The sum over all labels. */
function metric(text: string, name: string): number {
  const samples = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** The medians of the first and the last third of a life, without the time that it took to get warm if it was long enough for that. */
export function trendsOf(signs: readonly VitalSigns[]): { readonly warm: boolean; readonly trends: Trend[] } {
  const [first, last] = [signs[0]?.at ?? 0, signs.at(-1)?.at ?? 0]
  const warm = last - first >= 3 * WARM_AFTER_IN_MS
  const begin = warm ? first + WARM_AFTER_IN_MS : first
  const third = (last - begin) / 3
  const medianOf = (sign: Sign, from: number, to: number) =>
    median(signs.filter(({ at }) => from <= at && at <= to).map((each) => each[sign]))
  const trends = (Object.keys(ROOM) as Sign[]).map((sign) => ({
    sign,
    before: medianOf(sign, begin, begin + third),
    after: medianOf(sign, last - third, last),
  }))
  return { warm, trends }
}

/** What a process has more of at the end of its life than it had before. */
export function growth(name: string, signs: readonly VitalSigns[]): string[] {
  const { warm, trends } = trendsOf(signs)
  if (signs.length < 6) return [`${name} was looked at only ${signs.length} times`]
  return trends
    .filter(({ sign, before, after }) => {
      const room = ROOM[sign](before)
      return after > before + (warm ? room : Math.max(ROOM_TO_WARM_UP[sign], room))
    })
    .map(
      ({ sign, before, after }) => `${name}: ${sign} grew from ${before.toFixed(1)} to ${after.toFixed(1)}`,
    )
}
