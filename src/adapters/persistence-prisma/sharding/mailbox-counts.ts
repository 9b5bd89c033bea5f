import { hash } from 'node:crypto'
import { bucketOf } from '../../../domain/bucket.ts'
import type { StepUpDecision } from '../../../domain/step-up.ts'
import type { Statements } from '../connection/statements.ts'
import { type DelegatedInputs, GroupsByNode } from './groups.ts'
import type { Nodes } from './nodes.ts'

/** The mailbox is the hexadecimal hash of its address. Its bucket is the first 12 bits. */
export const COUNTING = 'n integer, bucket integer, mailbox text, at timestamptz, most integer'

interface Counting {
  readonly mailbox: NonNullable<StepUpDecision['mailbox']>
  readonly at: Date
}

type CountedRow =
  | { readonly counted: true; readonly spent_until: null }
  | { readonly counted: false; readonly spent_until: Date }

type MailboxCount = { readonly counted: true } | { readonly counted: false; readonly until: Date }

const COUNTS: DelegatedInputs<Counting> = {
  name: 'mailbox-issuances.count',
  columns: ({ mailbox: { key, atMost }, at }) => ({
    bucket: bucketOf(key),
    mailbox: hash('sha256', key),
    at,
    most: atMost,
  }),
  sharded: { called: 'count_codes', bucket: ({ mailbox }) => bucketOf(mailbox.key) },
}

/**
 * Counts the codes to each mailbox where the mailbox has its row, before the decision is stored on the server of its subject. A decision
 * that loses its race afterwards leaves one code too many in the count, for an hour.
 */
export class MailboxCounts {
  readonly #counts: GroupsByNode<Counting, CountedRow>

  constructor(statements: Statements, nodes: Nodes) {
    this.#counts = new GroupsByNode(statements, nodes, COUNTS)
  }

  /** Counts one more code, if the mailbox has room for it. If not, `until` is when it has. */
  async count(mailbox: NonNullable<StepUpDecision['mailbox']>, at: Date): Promise<MailboxCount> {
    const [row] = await this.#counts.query({ mailbox, at })
    return row!.counted ? { counted: true } : { counted: false, until: row!.spent_until }
  }
}
