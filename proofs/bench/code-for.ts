import { hash } from 'node:crypto'

/** Six digits that better-auth mails to an address, and that the bench knows without a mail. */
export function codeFor(email: string): string {
  return String(Number.parseInt(hash('sha256', email).slice(0, 8), 16) % 1_000_000).padStart(6, '0')
}
