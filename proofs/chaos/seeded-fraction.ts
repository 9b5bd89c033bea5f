import { createHash } from 'node:crypto'

/** A number from 0 to 1 that is the same for the same seed and name. */
export function seededFraction(seed: number, name: string): number {
  return createHash('sha256').update(`${seed} ${name}`).digest().readUInt32BE() / 2 ** 32
}
