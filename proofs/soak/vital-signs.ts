import { readdir, readFile, readlink } from 'node:fs/promises'
import { sharedStatementsIn } from '../../test/support/group-watch.ts'
import { median } from '../statistics.ts'

/** Measurements of a process at one instant. Memory is in MiB. */
export interface VitalSigns {
  readonly at: number
  readonly residentMemory: number
  readonly heap: number
  /** Without the connections of clients. */
  readonly openFiles: number
  readonly databaseConnections: number
  /** How many statements more than one request shared. */
  readonly sharedStatements: number
}

type Sign = Exclude<keyof VitalSigns, 'at' | 'sharedStatements'>

/** How much each sign may grow from the first third to the last, in a life that is long enough for the process to be warm. */
const ROOM: Readonly<Record<Sign, (before: number) => number>> = {
  // The service remembers at most ten thousand verified tokens. Collecting them may take an hour.
  residentMemory: (before) => Math.max(32, 0.15 * before),
  heap: (before) => Math.max(24, 0.2 * before),
  openFiles: (before) => Math.max(12, 0.25 * before),
  // A full pool, and a few more.
  databaseConnections: (before) => Math.max(3, 14 - before),
}
/** Compiled code, caches and pools grow in the first minutes. That is not a leak. */
const WARM_AFTER_IN_MS = 5 * 60_000
/** A process that is not warm yet grows, but by less than this. */
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

/** Undefined if the process does not answer, perhaps because of a trouble. */
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
      sharedStatements: sharedStatementsIn(text),
    }
  } catch {
    return undefined
  }
}

/** See proc(5). Leaves out the connections of clients, whose number depends only on their requests. */
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

/** The medians of the first and the last third of a life. Leaves out the warm-up if the life is long enough. */
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

/** The signs that grew over the life of a process. */
export function growth(name: string, signs: readonly VitalSigns[]): string[] {
  const { warm, trends } = trendsOf(signs)
  if (signs.length < 6) return [`${name} was measured only ${signs.length} times`]
  return trends
    .filter(({ sign, before, after }) => {
      const room = ROOM[sign](before)
      return after > before + (warm ? room : Math.max(ROOM_TO_WARM_UP[sign], room))
    })
    .map(
      ({ sign, before, after }) => `${name}: ${sign} grew from ${before.toFixed(1)} to ${after.toFixed(1)}`,
    )
}
