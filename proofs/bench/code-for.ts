import { hash } from 'node:crypto'

/** The six digits that better-auth would mail to an address. The bench computes them without a mail. */
export function codeFor(email: string): string {
  return String(Number.parseInt(hash('sha256', email).slice(0, 8), 16) % 1_000_000).padStart(6, '0')
}
