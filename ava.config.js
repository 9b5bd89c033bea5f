import { availableParallelism } from 'node:os'

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', 'proofs/**/*.test.ts'],
  // Most files wait for processes, sockets and the database, and leave the cores to others meanwhile.
  concurrency: 2 * availableParallelism(),
  timeout: '60s',
}
