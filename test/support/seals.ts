import { RowSeals } from '../../src/adapters/persistence-prisma/seals/row-seals.ts'
import { NOON } from '../domain/examples.ts'

const SEAL_KEY = { id: 'k1', bytes: Buffer.alloc(32, 7) }

/** The seals of the stores in tests. A row without a seal does not count. */
export const SEALS = new RowSeals([SEAL_KEY], { now: () => NOON })
