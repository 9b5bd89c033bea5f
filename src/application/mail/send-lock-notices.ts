import type { ChallengeEvent } from '../../domain/domain-event.ts'
import { secondsAfter } from '../../domain/instant.ts'
import { LockNotice } from '../../domain/lock-notice.ts'
import type { Clock } from '../ports/clock.ts'
import type { LockMailComposer } from '../ports/lock-mail-composer.ts'
import type { LockNoticeDelivery, LockNotices } from '../ports/lock-notices.ts'
import type { MailTransport } from '../ports/mail-transport.ts'
import { type DeliveryAttempt, type DeliveryReport, LEASE_IN_SECONDS, sendMail } from './send-mail.ts'

/** Sends the mails that warn of a lock: at least once each, twice only after a crash, and never after the lock ends. */
export class SendLockNotices {
  readonly #notices: LockNotices
  readonly #composer: LockMailComposer
  readonly #transport: MailTransport
  readonly #clock: Clock

  constructor(notices: LockNotices, composer: LockMailComposer, transport: MailTransport, clock: Clock) {
    this.#notices = notices
    this.#composer = composer
    this.#transport = transport
    this.#clock = clock
  }

  /**
   * Claims up to `limit` due notices. Resolves with one attempt for each, which must start at once because its lease is running.
   * Fewer than `limit` attempts mean that no more were due.
   */
  async execute(limit: number): Promise<readonly DeliveryAttempt[]> {
    const now = this.#clock.now()
    const deliveries = await this.#notices.claim(limit, now, secondsAfter(now, LEASE_IN_SECONDS))
    return deliveries.map((delivery) => () => this.#deliver(delivery))
  }

  async #deliver(delivery: LockNoticeDelivery): Promise<DeliveryReport> {
    const { id: noticeId, challengeId, deliveryAttempts: attempt } = delivery.notice
    const report = { challengeId, noticeId, attempt }
    try {
      const { decided, ...details } = await this.#send(delivery)
      const [outcome, events] = decided
      const recorded = await this.#notices.record(delivery.notice, outcome, events)
      return { ...report, outcome: recorded ? outcome.status : 'outdated', ...details }
    } catch (error) {
      return { ...report, outcome: 'unrecorded', error }
    }
  }

  async #send({ notice, clientId, user }: LockNoticeDelivery) {
    const { id, recipient: to, lockedUntil } = notice
    if (LockNotice.isOver(notice, this.#clock.now())) {
      return { decided: LockNotice.fail(notice, 'lock-over', this.#clock.now()) }
    }
    const warning = { clientId, lockedUntil, locale: user?.locale, displayName: user?.displayName }
    const message = { id, kind: 'lock-notice', expiresAt: lockedUntil, to } as const
    return sendMail<[LockNotice, ChallengeEvent[]]>(
      this.#transport,
      { ...message, ...this.#composer.compose(warning) },
      {
        taken: (messageId) => LockNotice.markSent(notice, messageId, this.#clock.now()),
        refused: (reply) => LockNotice.fail(notice, 'refused', this.#clock.now(), reply),
        deferred: () => LockNotice.defer(notice, this.#clock.now()),
      },
    )
  }
}
