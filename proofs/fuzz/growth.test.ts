import test from 'ava'
import type { Vitals } from './fuzzed-service.ts'
import { growth } from './growth.ts'

const MIB = 2 ** 20
const WARM: Vitals = {
  ...{ heldBytes: 60 * MIB, residentBytes: 200 * MIB, openFiles: 26 },
  ...{ busyConnections: 0, idleConnections: 4, waitingQueries: 0 },
}
const REQUESTS = 13_000

for (const [what, end] of [
  ['nothing', {}],
  ['more connections that are idle', { idleConnections: 10 }],
  ['some tokens', { heldBytes: 64 * MIB }],
  ['pages of memory that V8 keeps', { residentBytes: 400 * MIB }],
] as const) {
  test(`a service that holds on to ${what} has not grown`, (t) => {
    t.deepEqual(growth(WARM, { ...WARM, ...end }, 26, REQUESTS), [])
  })
}

for (const [what, end, fault] of [
  [
    'its requests',
    { heldBytes: 60 * MIB + REQUESTS * 2000 },
    /^memory grew by 24\.8 MiB over 13000 requests/,
  ],
  ['a socket', { openFiles: 27 }, /^27 files and sockets/],
  ['a connection', { busyConnections: 1 }, /^1 connections/],
  ['a query', { waitingQueries: 1 }, /^1 queries/],
] as const) {
  test(`a service that holds on to ${what} has grown`, (t) => {
    const [first = '', ...others] = growth(WARM, { ...WARM, ...end }, 26, REQUESTS)

    t.regex(first, fault)
    t.deepEqual(others, [])
  })
}
