import type { ChallengeStatus } from '../domain/challenge.ts'
import type { SummaryLine } from '../domain/operation.ts'

/** What a reader who followed the link of a mail gets to see. */
export type ReportPage =
  | AskingPage
  /** The report is stored. `statusBefore`: how the challenge stood then. */
  | {
      readonly kind: 'reported'
      readonly statusBefore: ChallengeStatus
      readonly othersEnded: boolean
    }
  /** An earlier report is stored. */
  | { readonly kind: 'already'; readonly othersEnded: boolean }
  /** The link leads to nothing. Says nothing of why. */
  | { readonly kind: 'unknown' }
  /** The reader has to come back later. */
  | { readonly kind: 'busy' }

/** Asks the reader whether it was not they. Its one button sends the proof back. */
export interface AskingPage {
  readonly kind: 'ask'
  readonly status: ChallengeStatus
  /** Undefined: it cannot be shown. */
  readonly summary: readonly SummaryLine[] | undefined
  readonly createdAt: Date
  readonly proof: string
  /** Whether the reader may choose to end their other live challenges too. */
  readonly endsOthers: boolean
  /** Whether the button was pressed, and nothing came of it. */
  readonly isAgain: boolean
}

/** Who reads a page, as far as that is known. */
export interface PageReader {
  /** A BCP 47 language tag. */
  readonly locale?: string | undefined
  /** The client whose mail it was: the page has its brand. */
  readonly clientId?: string | undefined
}

/** A whole HTML document, in ASCII, and its content security policy. */
export interface WrittenPage {
  readonly html: string
  readonly policy: string
}

/** Writes the pages on which readers of mails report that an operation was not theirs. They need no script. */
export abstract class ReportPages {
  /** Those that the pages are written in, the one for everybody else first. */
  abstract readonly languages: readonly string[]

  /** No text of the operation can change how the rest of the page reads. */
  abstract page(page: ReportPage, reader: PageReader): WrittenPage
}
