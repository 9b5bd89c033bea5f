import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { SummaryLine } from './answers.ts'

/**
 * SHA-256, base64url without padding, over the canonical JSON (RFC 8785) of the lines in their order, each with its label and its
 * value. An authorisation states it as `summary_digest`: what the user read in the mail. Texts count as they were sent, without
 * normalisation.
 */
export function summaryDigest(summary: readonly SummaryLine[]): string {
  const lines = summary.map(({ label, value }) => ({ label, value }))
  return createHash('sha256').update(canonicalize(lines)!).digest('base64url')
}
