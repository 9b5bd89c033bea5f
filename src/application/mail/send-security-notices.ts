import type { DomainEvent } from '../../domain/domain-event.ts'
import { secondsAfter } from '../../domain/instant.ts'
import { SecurityNotice } from '../../domain/security-notice.ts'
import type { Clock } from '../ports/clock.ts'
import type { MailTransport } from '../ports/mail-transport.ts'
import type { SecurityMailComposer } from '../ports/security-mail-composer.ts'
import type { SecurityNoticeDelivery, SecurityNotices } from '../ports/security-notices.ts'
import { type DeliveryAttempt, type DeliveryReport, LEASE_IN_SECONDS, sendMail } from './send-mail.ts'

/** Sends the mails of security notices: at least once each, twice only after a crash, and not after a day. */
export class SendSecurityNotices {
  readonly #notices: SecurityNotices
  readonly #composer: SecurityMailComposer
  readonly #transport: MailTransport
  readonly #clock: Clock

  constructor(
    notices: SecurityNotices,
    composer: SecurityMailComposer,
    transport: MailTransport,
    clock: Clock,
  ) {
    this.#notices = notices
    this.#composer = composer
    this.#transport = transport
    this.#clock = clock
  }

  /** Claims up to `limit` due notices, as `SendLockNotices` does. */
  async execute(limit: number): Promise<readonly DeliveryAttempt[]> {
    const now = this.#clock.now()
    const deliveries = await this.#notices.claim(limit, now, secondsAfter(now, LEASE_IN_SECONDS))
    return deliveries.map((delivery) => () => this.#deliver(delivery))
  }

  async #deliver(delivery: SecurityNoticeDelivery): Promise<DeliveryReport> {
    const { id: noticeId, deliveryAttempts: attempt } = delivery.notice
    const report = { noticeId, attempt }
    try {
      const { decided, ...details } = await this.#send(delivery)
      const [outcome, events] = decided
      const recorded = await this.#notices.record(delivery.notice, outcome, events)
      return { ...report, outcome: recorded ? outcome.status : 'outdated', ...details }
    } catch (error) {
      return { ...report, outcome: 'unrecorded', error }
    }
  }

  async #send({ notice, user, isSurplus }: SecurityNoticeDelivery) {
    const { id, kind, clientId, happenedAt, recipient: to } = notice
    const expiresAt = SecurityNotice.endOf(notice)
    if (this.#clock.now() >= expiresAt) {
      return { decided: SecurityNotice.fail(notice, 'too-late', this.#clock.now()) }
    }
    if (isSurplus) return { decided: SecurityNotice.fail(notice, 'too-many', this.#clock.now()) }
    const locale = notice.locale ?? user?.locale
    const news = { clientId, kind, happenedAt, locale, displayName: user?.displayName }
    const message = { id, kind: 'security-notice', expiresAt, to } as const
    return sendMail<[SecurityNotice, DomainEvent[]]>(
      this.#transport,
      { ...message, ...this.#composer.compose(news) },
      {
        taken: () => SecurityNotice.markSent(notice, this.#clock.now()),
        refused: (reply) => SecurityNotice.fail(notice, 'refused', this.#clock.now(), reply),
        deferred: () => SecurityNotice.defer(notice, this.#clock.now()),
      },
    )
  }
}
