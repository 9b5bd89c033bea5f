import { secondsAfter } from '../../domain/instant.ts'
import { MailOutcome } from '../../domain/mail-outcome.ts'
import { OtpIssuance, type UndatedReport } from '../../domain/otp-issuance.ts'
import type { Clock } from '../ports/clock.ts'
import type { MailOutcomes } from '../ports/mail-outcomes.ts'
import { MAIL_SYSTEM } from '../ports/provenance.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'
import type { Recorded } from './record-mail-event.ts'

export interface RecordNoticeCommand {
  /** A canonical UUID. The sender of the notice has proved that they know the mail. */
  readonly issuanceId: string
  readonly report: UndatedReport
}

/** `outdated`: the mail is so old that no mail system still tries to deliver it. */
type NoticeRecorded = Recorded | 'outdated'

/**
 * Mail systems give a mail up after five days (RFC 5321 §4.5.4.1), some later. After that a notice is a copy, and the address of the
 * mail may long have been put back into use.
 */
const NOTICES_COME_WITHIN_SECONDS = 14 * 86_400

/**
 * Records what a notice reports about a mail. A notice has no time that could be trusted: the first one counts as of its arrival, and
 * its repeats count as of the first. So a repeat does not undo a suppression that was lifted meanwhile.
 */
export class RecordNotice {
  readonly #mailOutcomes: MailOutcomes
  readonly #clock: Clock

  constructor(mailOutcomes: MailOutcomes, clock: Clock) {
    this.#mailOutcomes = mailOutcomes
    this.#clock = clock
  }

  /** @throws {ConcurrencyConflict} @throws {StorageUnavailable} */
  async execute({ issuanceId, report }: RecordNoticeCommand): Promise<NoticeRecorded> {
    const now = this.#clock.now()
    return retryOnConflict<NoticeRecorded>(`the mail of issuance ${issuanceId}`, async () => {
      const before = await this.#mailOutcomes.load(issuanceId)
      if (!before) return { saved: true, result: 'unknown' }
      if (now >= secondsAfter(before.issuance.issuedAt, NOTICES_COME_WITHIN_SECONDS)) {
        return { saved: true, result: 'outdated' }
      }

      const at = OtpIssuance.reportedAt(before.issuance, report) ?? now
      const decision = MailOutcome.record(before, { ...report, at })
      if (!decision) return { saved: true, result: 'known' }
      return {
        saved: await this.#mailOutcomes.save(before, decision, { actor: MAIL_SYSTEM }),
        result: 'stored',
      }
    })
  }
}
