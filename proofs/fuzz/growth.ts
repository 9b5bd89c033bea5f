import type { Vitals } from './fuzzed-service.ts'

/**
 * Code that ran for the first time, of which a short run still has much before it when it counts as warm, and what is remembered for a while by design: 2 KB for each token that was verified, of which a
 * round has some twenty. One that held on to its requests would hold 15 KB for each.
 */
const FREE_GROWTH_IN_BYTES = 12 * 2 ** 20
const GROWTH_PER_REQUEST_IN_BYTES = 200

/** What a service still holds on to in the end, and did not when it was warm; nothing if all is as it should be. */
export function growth(warm: Vitals, end: Vitals, filesAtRest: number, requests: number): readonly string[] {
  const allowed = FREE_GROWTH_IN_BYTES + requests * GROWTH_PER_REQUEST_IN_BYTES
  const grown = end.heldBytes - warm.heldBytes
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  return [
    ...(grown > allowed
      ? [`memory grew by ${mib(grown)} over ${requests} requests; ${mib(allowed)} is allowed`]
      : []),
    ...(end.openFiles > filesAtRest
      ? [`${end.openFiles} files and sockets are open, and ${filesAtRest} at first`]
      : []),
    ...(end.busyConnections > 0 ? [`${end.busyConnections} connections to the database are still busy`] : []),
    ...(end.waitingQueries > 0 ? [`${end.waitingQueries} queries still wait`] : []),
  ]
}
