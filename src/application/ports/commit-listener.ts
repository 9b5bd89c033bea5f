import type { Challenge } from '../../domain/challenge.ts'
import type { DomainEvent } from '../../domain/domain-event.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import type { Provenance } from './provenance.ts'

/** What one committed write recorded. */
export interface Commit {
  /** As they are on the audit trail, in their order. Never empty. */
  readonly events: readonly DomainEvent[]
  readonly provenance: Provenance
  /** The challenge as the decision left it; undefined if the write was not a decision about a challenge. */
  readonly challenge?: Challenge | undefined
  /** The issuance that the write was about, if there is one: when its code was issued. */
  readonly issuance?: Pick<OtpIssuance, 'id' | 'issuedAt'> | undefined
}

/**
 * Called by a store once after each commit, with what was stored and nothing else. A write that stored no event, or lost
 * its race, is no commit. Must be quick, since the answer waits for it.
 */
export type CommitListener = (commit: Commit) => void

/** Calls the listener and drops what it throws: the write is committed, and its caller must not believe that it failed. */
export function announce(listener: CommitListener, commit: Commit): void {
  if (commit.events.length === 0) return
  try {
    listener(commit)
  } catch {}
}
