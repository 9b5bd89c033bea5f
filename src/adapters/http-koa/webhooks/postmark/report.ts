import { z } from 'zod'
import type { BounceKind } from '../../../../domain/domain-event.ts'
import type { MailEvent } from '../../../../domain/mail-outcome.ts'
import { CANONICAL_UUID } from '../../challenges/challenge-id.ts'

/** What one call of Postmark's webhooks comes down to. */
export type PostmarkReport =
  | { readonly about: 'mail'; readonly issuanceId: string; readonly news: MailEvent }
  | { readonly about: 'address'; readonly address: string; readonly releasedAt: Date }
  | { readonly about: 'nothing of ours' }

const NOTHING_OF_OURS = { about: 'nothing of ours' } as const

const Instant = z
  .string()
  .meta({ description: 'A time, in any form that ECMAScript reads.' })
  .transform((text, context) => {
    const instant = new Date(text)
    if (Number.isNaN(instant.getTime())) context.addIssue({ code: 'custom', message: 'must be a time' })
    return instant
  })

const ANY_TYPE = ['object', 'array', 'string', 'number', 'boolean', 'null'] as const

/** What the transport gave the mail. It comes back with every report, and is another's if it is not ours. */
const Metadata = z
  .object({ issuance: z.string().regex(CANONICAL_UUID) })
  .transform(({ issuance }) => issuance)
  .nullish()
  .catch(undefined)
  .meta({
    description:
      'What the mail was given when it was sent: `issuance`, an id. Whatever else it is, the mail is not ours.',
    override: { anyOf: ANY_TYPE.map((type) => ({ type })) },
  })

/* The schemas are Postmark's: members that are not named here are let through and dropped, the mail's content among them. */

const Kind = z.object({ RecordType: z.string() })
export const Delivery = z.object({ RecordType: z.literal('Delivery'), DeliveredAt: Instant, Metadata })
export const Bounce = z.object({
  RecordType: z.literal('Bounce'),
  Type: z.string(),
  Inactive: z.boolean().optional(),
  BouncedAt: Instant,
  Metadata,
})
export const SpamComplaint = z.object({
  RecordType: z.literal('SpamComplaint'),
  BouncedAt: Instant,
  Metadata,
})
export const SubscriptionChange = z.object({
  RecordType: z.literal('SubscriptionChange'),
  // Of a NUL or half a character the database would make an error.
  Recipient: z
    .string()
    .max(320)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u),
  SuppressSending: z.boolean(),
  SuppressionReason: z.string().nullish(),
  ChangedAt: Instant,
  Metadata,
})

/** @throws {z.ZodError} if it is not as Postmark documents it. */
export function postmarkReport(body: unknown): PostmarkReport {
  switch (Kind.parse(body).RecordType) {
    case 'Delivery': {
      const { DeliveredAt: at, Metadata } = Delivery.parse(body)
      return about(Metadata, { outcome: 'delivered', at })
    }
    case 'Bounce': {
      const { Type, Inactive = false, BouncedAt: at, Metadata } = Bounce.parse(body)
      const kind = bounceKind(Type, Inactive)
      return about(Metadata, kind && { outcome: 'bounced', kind, at })
    }
    case 'SpamComplaint': {
      const { BouncedAt: at, Metadata } = SpamComplaint.parse(body)
      return about(Metadata, { outcome: 'bounced', kind: 'complaint', at })
    }
    case 'SubscriptionChange':
      return subscriptionReport(SubscriptionChange.parse(body))
    default:
      return NOTHING_OF_OURS
  }
}

function about(issuanceId: string | null | undefined, news: MailEvent | undefined): PostmarkReport {
  return issuanceId && news ? { about: 'mail', issuanceId, news } : NOTHING_OF_OURS
}

const HARD: readonly string[] = ['HardBounce', 'BadEmailAddress', 'ManuallyDeactivated']
/** Filed under bounces, yet sent by somebody whom the mail has reached, or will reach later. */
const NO_BOUNCE: readonly string[] = [
  'AddressChange',
  'AutoResponder',
  'ChallengeVerification',
  'InboundError',
  'OpenRelayTest',
  'Subscribe',
  'Transient',
  'Unconfirmed',
  'Unsubscribe',
]

/** `inactive`: Postmark will send nothing to this address any more, whatever it calls the bounce. */
function bounceKind(type: string, inactive: boolean): BounceKind | undefined {
  if (type === 'SpamComplaint') return 'complaint'
  if (HARD.includes(type) || inactive) return 'hard-bounce'
  return NO_BOUNCE.includes(type) ? undefined : 'soft-bounce'
}

/**
 * Of a suppression that no mail of ours has caused, Postmark names the address alone, and no subject can be found by that. Its next
 * mail will be refused, which comes to the same. A release always comes like this: those it concerns can be found.
 */
function subscriptionReport(change: z.infer<typeof SubscriptionChange>): PostmarkReport {
  const { SuppressSending, SuppressionReason, Recipient: address, ChangedAt: at, Metadata } = change
  if (!SuppressSending) return { about: 'address', address, releasedAt: at }
  switch (SuppressionReason) {
    case 'HardBounce':
      return about(Metadata, { outcome: 'bounced', kind: 'hard-bounce', at })
    case 'SpamComplaint':
      return about(Metadata, { outcome: 'bounced', kind: 'complaint', at })
    case 'ManualSuppression':
      return about(Metadata, { outcome: 'suppressed', reason: 'unsubscribed', at })
    default:
      return about(Metadata, { outcome: 'suppressed', reason: 'refused', at })
  }
}
