import { CountersignClient, receiveEvents } from '@countersign/kit/koa'
import type { EventHandlers, ServiceEvent } from '@countersign/kit/webhooks'
import type { Middleware } from 'koa'
import { developmentToken } from './access-token.ts'

const CLIENT_ID = 'payments'
/** Older challenges are forgotten. */
const CHALLENGES_AT_ONCE = 1000

/** What Countersign has reported about the bank's challenges. So the bank need not ask whether something has happened. */
export class ChallengeEvents {
  readonly #countersignUrl: string
  readonly #events = new Map<string, ServiceEvent[]>()
  #registered: Promise<Middleware> | undefined

  constructor(countersignUrl: string) {
    this.#countersignUrl = countersignUrl
  }

  /** Tells Countersign, once, where the bank gets its events. A failure counts for nothing at the next call. */
  async register(): Promise<void> {
    this.#registered ??= this.#register()
    try {
      await this.#registered
    } catch (error) {
      this.#registered = undefined
      throw error
    }
  }

  /** The route that Countersign posts to. */
  receive(): Middleware {
    return async (ctx, next) => {
      const receive = await this.#registered
      if (receive) await receive(ctx, next)
    }
  }

  /** In the order in which they happened. */
  of(challengeId: string): readonly ServiceEvent[] {
    return this.#events.get(challengeId) ?? []
  }

  async #register(): Promise<Middleware> {
    const client = new CountersignClient({
      baseUrl: this.#countersignUrl,
      accessToken: () =>
        developmentToken(this.#countersignUrl, { client_id: CLIENT_ID, scope: 'mfa:webhooks:write' }),
    })
    const url = new URL('/bank/events', this.#countersignUrl).href
    const { secret } = await client.putWebhook(CLIENT_ID, { url })
    const note = (event: ServiceEvent) => this.#note(event)
    return receiveEvents({
      clientId: CLIENT_ID,
      secrets: secret ? [secret] : [],
      jwks: client.jwksUrl,
      on: {
        'challenge-opened': note,
        'otp-issued': note,
        'otp-sent': note,
        'otp-delayed': note,
        'otp-delivered': note,
        'otp-bounced': note,
        'otp-failed': note,
        'otp-rejected': note,
        'challenge-verified': note,
        'challenge-exhausted': note,
        'challenge-expired': note,
        'challenge-cancelled': note,
        'challenge-consumed': note,
        'subject-locked': note,
        'challenge-reported': note,
      } satisfies Required<EventHandlers>,
    })
  }

  #note(event: ServiceEvent): void {
    this.#events.set(event.challengeId, [...this.of(event.challengeId), event])
    const [oldest] = this.#events.keys()
    if (this.#events.size > CHALLENGES_AT_ONCE) this.#events.delete(oldest!)
  }
}
