import { z } from 'zod'
import type { BounceKind } from '../../../../domain/domain-event.ts'
import type { MailEvent } from '../../../../domain/mail-outcome.ts'
import { CANONICAL_UUID } from '../../challenges/challenge-id.ts'
import { NO_CONTROLS } from '../../edge/document-patterns.ts'

/** What a call of Postmark's webhook means to this service. */
export type PostmarkReport =
  | { readonly about: 'mail'; readonly issuanceId: string; readonly event: MailEvent }
  | { readonly about: 'address'; readonly address: string; readonly releasedAt: Date }
  | { readonly about: 'nothing of ours' }

const NOTHING_OF_OURS = { about: 'nothing of ours' } as const

const Instant = z
  .string()
  .meta({ description: 'A time, in any form that ECMAScript can parse.' })
  .transform((text, context) => {
    const instant = new Date(text)
    if (Number.isNaN(instant.getTime())) context.addIssue({ code: 'custom', message: 'must be a time' })
    return instant
  })

const ANY_TYPE = ['object', 'array', 'string', 'number', 'boolean', 'null'] as const

/** The metadata that our transport gave the mail. Every report returns it. In another form, the mail is not ours. */
const Metadata = z
  .object({ issuance: z.string().regex(CANONICAL_UUID) })
  .transform(({ issuance }) => issuance)
  .nullish()
  .catch(undefined)
  .meta({
    description:
      'The metadata that the mail was sent with: `issuance`, an id. With any other metadata, the mail is not ours.',
    override: ({ jsonSchema }) => {
      delete jsonSchema.anyOf
      // Some tools refuse a list without `items`.
      Object.assign(jsonSchema, { type: ANY_TYPE, items: {} })
    },
  })

/* The schemas are Postmark's. Members that are not named here are dropped, such as the content of the mail. */

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
  // PostgreSQL rejects NUL and lone surrogates.
  Recipient: z
    .string()
    .max(320)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u)
    .meta({
      description: 'The address. Control characters and lone surrogates are refused.',
      override: { type: 'string', maxLength: 320, pattern: NO_CONTROLS },
    }),
  SuppressSending: z.boolean(),
  SuppressionReason: z.string().nullish(),
  ChangedAt: Instant,
  Metadata,
})

const KNOWN_TYPES = ['Delivery', 'Bounce', 'SpamComplaint', 'SubscriptionChange']
export const OtherReport = z.object({
  RecordType: z
    .string()
    .refine((type) => !KNOWN_TYPES.includes(type))
    .meta({ not: { enum: KNOWN_TYPES } }),
})

/** Reads a report of any type. */
export const Report = z.union([
  Delivery.transform(({ DeliveredAt: at, Metadata }) => about(Metadata, { outcome: 'delivered', at })),
  Bounce.transform(({ Type, Inactive = false, BouncedAt: at, Metadata }) => {
    if (Type === 'Transient' && !Inactive) return about(Metadata, { outcome: 'delayed', at })
    const kind = bounceKind(Type, Inactive)
    return about(Metadata, kind && { outcome: 'bounced', kind, at })
  }),
  SpamComplaint.transform(({ BouncedAt: at, Metadata }) =>
    about(Metadata, { outcome: 'bounced', kind: 'complaint', at }),
  ),
  SubscriptionChange.transform(ofSubscription),
  OtherReport.transform((): PostmarkReport => NOTHING_OF_OURS),
])

function about(issuanceId: string | null | undefined, event: MailEvent | undefined): PostmarkReport {
  return issuanceId && event ? { about: 'mail', issuanceId, event } : NOTHING_OF_OURS
}

const HARD: readonly string[] = ['HardBounce', 'BadEmailAddress', 'ManuallyDeactivated']
/** Postmark calls these bounces, but the mail has arrived. */
const NO_BOUNCE: readonly string[] = [
  'AddressChange',
  'AutoResponder',
  'ChallengeVerification',
  'InboundError',
  'OpenRelayTest',
  'Subscribe',
  'Unconfirmed',
  'Unsubscribe',
]

/** @param inactive whether Postmark has stopped sending to this address. It may do so after any type of bounce. */
function bounceKind(type: string, inactive: boolean): BounceKind | undefined {
  if (type === 'SpamComplaint') return 'complaint'
  if (HARD.includes(type) || inactive) return 'hard-bounce'
  return NO_BOUNCE.includes(type) ? undefined : 'soft-bounce'
}

/**
 * If no mail of ours caused a suppression, Postmark names only the address, which is no way to find a subject. Ignore
 * it: Postmark refuses the next mail to that address, with the same effect. A release always names only the address,
 * and the subjects that it concerns can be found.
 */
function ofSubscription(change: z.infer<typeof SubscriptionChange>): PostmarkReport {
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
