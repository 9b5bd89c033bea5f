import { availableParallelism } from 'node:os'

/** Files that run for long, as their tests run one after the other. They start first, so that the end of a run need not wait for them. */
const LONG = [
  '/test/kit/countersign-dialog.',
  '/test/examples/bank/pages.',
  '/test/prisma/',
  '/test/package.',
  '/test/journeys/life-cycle.',
  '/test/journeys/metrics.',
  '/proofs/signals/',
  '/proofs/soak/',
  '/proofs/faults/database-',
  '/proofs/api-tools/',
]
const isLong = (file) => LONG.some((part) => file.replaceAll('\\', '/').includes(part))

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', 'proofs/**/*.test.ts'],
  // Most files wait for processes, sockets and the database, and leave the cores to others meanwhile. Each holds connections of
  // the one database server, so a machine of many cores does not run as many more.
  concurrency: Math.min(2 * availableParallelism(), 12),
  sortTestFiles: (one, other) => Number(isLong(other)) - Number(isLong(one)) || (one < other ? -1 : 1),
  timeout: '60s',
}
