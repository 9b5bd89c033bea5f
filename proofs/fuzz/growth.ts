import type { Vitals } from './fuzzed-service.ts'

/**
 * The growth that is no leak: code that runs for the first time, much of it after a short run counts as warm, and verified tokens,
 * which the service keeps by design (2 KB each, about twenty a round). A service that leaked requests would keep 15 KB for each.
 */
const FREE_GROWTH_IN_BYTES = 12 * 2 ** 20
const GROWTH_PER_REQUEST_IN_BYTES = 200

/** The leaks: what a service keeps at the end and did not keep when it was warm. Empty without a leak. */
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
