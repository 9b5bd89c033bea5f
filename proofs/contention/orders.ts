/** What each process has to do. */
export interface Orders {
  /** Distinguishes its requests from those of the other processes. */
  readonly process: string
  readonly callers: number
  /** Decisions to store. */
  readonly decisions: number
  readonly subjects: number
}

/** A decision that the store has confirmed. */
export interface Confirmed {
  readonly requestId: string
  readonly subject: string
  /** The version of the subject that it was made on. */
  readonly version: number
  /** The types of its events. */
  readonly events: readonly string[]
}

/** The statements for one kind of call, and the calls that shared them. */
export interface Groups {
  readonly statements: number
  readonly members: number
  readonly ofSeveral: number
  readonly largest: number
}

/** What a process saw. */
export interface Witness {
  readonly confirmed: readonly Confirmed[]
  /** The requests that opened a challenge, by the idempotency key. */
  readonly opened: readonly (readonly [requestId: string, key: string])[]
  readonly lostRaces: number
  /** Calls that lost more races than a call may lose. They stored nothing. */
  readonly gaveUp: number
  readonly groups: Readonly<Record<string, Groups>>
  /** Errors that no call may see here. */
  readonly failures: readonly string[]
  readonly cpuInMs: number
}

/** The user of one of the subjects. Each has a mailbox of their own. */
export function userOf(n: number): { readonly subject: string; readonly address: string } {
  return { subject: `subject-${n}`, address: `subject-${n}@bank.example` }
}
