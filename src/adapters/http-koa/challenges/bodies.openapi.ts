import { z } from 'zod'
import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { BodyOf } from '../edge/body-of.ts'
import { ONE_LINE } from '../edge/document-patterns.ts'
import { ChallengeId } from './challenge-id.openapi.ts'
import { Digest, OperationType, PLACE, Summary } from './schema.ts'

const Instant = z.date()

export const OpenedChallenge = z
  .strictObject({
    challengeId: ChallengeId,
    signature: z.string().meta({
      description:
        'A compact JWS (EdDSA) over the challenge id, subject, client, operation with the digest of its summary, and expiry. Pass it to the user’s app with the id; the app returns both.',
    }),
    expiresAt: Instant,
    methods: z
      .array(
        z.strictObject({
          type: z.literal('totp-email'),
          initiate: z.string().meta({ description: 'The path to ask for a code.' }),
          verify: z.string().meta({ description: 'The path to send the code to.' }),
        }),
      )
      .meta({ minItems: 1, description: 'The methods by which the user can verify the challenge.' }),
  })
  .meta({ id: 'OpenedChallenge' })
export type OpenedChallengeBody = BodyOf<typeof OpenedChallenge>

const Issuance = z
  .strictObject({
    reference: z.string().meta({
      pattern: '^[A-Z]{2}$',
      description:
        'Two letters that the mail shows too. A user with two mails sees from them which code counts.',
    }),
    recipient: z.string().meta({ description: 'The masked e-mail address.' }),
    issuedAt: Instant,
    expiresAt: Instant.meta({ description: 'The code is rejected from this time on.' }),
    resendAvailableAt: Instant.nullable().meta({
      description:
        'From when the user may ask for the next code. Null if this challenge allows no more codes, or if the address may get no mail.',
    }),
    codeDigits: z.int().min(6).max(8).meta({
      description:
        'How many digits the code has. An app can refuse anything shorter or longer itself, without a call.',
    }),
    delivery: z.enum(['queued', 'sent', 'delivered', 'bounced', 'failed']).meta({
      description:
        'The state of the mail: `queued`, waiting to be sent; `sent`, accepted by our mail system; `delivered`, accepted by the recipient’s; `bounced`, returned; `failed`, given up.',
    }),
    sentAt: Instant.optional(),
    delayedAt: Instant.optional().meta({
      description:
        'When our mail system reported that the mail waits: the code will be late. Absent if it did not. The `delivery` stays `sent` meanwhile.',
    }),
    deliveredAt: Instant.optional(),
    bouncedAt: Instant.optional(),
    failedAt: Instant.optional(),
  })
  .meta({ id: 'Issuance', description: 'The newest code of a challenge, without the code.' })

const COLOR = '^#[0-9a-fA-F]{6}$'

const Brand = z
  .strictObject({
    name: z.string().meta({ pattern: ONE_LINE, maxLength: 60, description: 'The name of the brand.' }),
    color: z.string().meta({ pattern: COLOR, description: 'The colour of the brand, as in `#7a1f2b`.' }),
    textColor: z.string().meta({
      pattern: COLOR,
      description: 'Black or white: the one that is easier to read on the colour, at least 4.5 to 1.',
    }),
    logoUrl: z.string().nullable().meta({
      description:
        'An https URL of a picture that stands on the colour in place of the name. Null: the name.',
    }),
  })
  .meta({
    description: 'Whose challenge it is, as the mails show it. Absent if the client has no brand of its own.',
  })
/** The newest code as the support sees it: not when the next one may be asked for. */
const MailedCode = Issuance.omit({ resendAvailableAt: true, codeDigits: true }).meta({
  id: 'MailedCode',
  description: 'The newest code of a challenge and its mail, without the code.',
})

const Status = z.enum(['pending', 'verified', 'consumed', 'expired', 'exhausted', 'cancelled'])

export const ChallengePage = z
  .strictObject({
    challenges: z
      .array(
        z
          .strictObject({
            challengeId: ChallengeId,
            status: Status.meta({ description: 'How the challenge stands now.' }),
            clientId: z.string().meta({ description: 'The operation service that opened it.' }),
            subjectUserId: z.string().meta({ description: 'The user that the challenge is about.' }),
            operation: z
              .strictObject({ type: OperationType })
              .meta({ description: 'The kind of operation, without its summary.' }),
            createdAt: Instant.meta({ description: 'When the service opened it.' }),
            expiresAt: Instant.meta({ description: 'When it ends, if nothing ends it before.' }),
            attemptsRemaining: z
              .int()
              .min(0)
              .meta({ description: 'How many more wrong codes this challenge allows.' }),
            issuanceCount: z.int().min(0).meta({ description: 'How many codes were issued.' }),
            issuance: MailedCode.nullable().meta({
              description: 'The newest code. Null before the first one.',
            }),
          })
          .meta({
            id: 'ListedChallenge',
            description: 'A challenge without the summary of its operation, which names amounts and persons.',
          }),
      )
      .meta({ description: 'The challenge with the latest deadline first.' }),
    next: z.string().nullable().meta({
      pattern: PLACE.source,
      description: 'The `after` of the next page. Null on the last one.',
    }),
  })
  .meta({ id: 'ChallengePage' })
export type ChallengePageBody = BodyOf<typeof ChallengePage>

export const Challenge = z
  .strictObject({
    challengeId: ChallengeId,
    status: Status,
    subjectUserId: z.string(),
    operation: z.strictObject({ type: OperationType, summary: Summary }),
    createdAt: Instant,
    expiresAt: Instant,
    attemptsRemaining: z
      .int()
      .min(0)
      .meta({ description: 'How many more wrong codes this challenge allows.' }),
    brand: Brand.optional(),
    issuance: Issuance.nullable().meta({ description: 'The newest code. Null before the first one.' }),
  })
  .meta({ id: 'Challenge' })
export type ChallengeBody = BodyOf<typeof Challenge>

export const ConsumedChallenge = z
  .strictObject({
    challengeId: ChallengeId,
    subjectUserId: z.string(),
    operation: z.strictObject({ type: OperationType, digest: Digest, summary: Summary }),
    verifiedAt: Instant,
    consumedAt: Instant,
    authorisation: z.string().meta({
      description:
        'A compact JWS (EdDSA, `typ` countersign-authorisation+jwt). Anyone can check it with the keys of `/.well-known/jwks.json`; it is valid for five minutes. Claims: `sub` is the subject, `aud` the client, `jti` the challenge; `operation`, `amr` and `auth_time` say what was approved, how and when. `operation` has `type`, `digest` and `summary_digest`: SHA-256 (base64url without padding) over the canonical JSON (RFC 8785) of the summary that the user read.',
    }),
  })
  .meta({ id: 'ConsumedChallenge' })
export type ConsumptionBody = BodyOf<typeof ConsumedChallenge>

/** Every type of event that can be recorded. A missing one does not compile. */
const EVENT_TYPES = Object.keys({
  'challenge-opened': true,
  'otp-issued': true,
  'otp-rejected': true,
  'challenge-verified': true,
  'challenge-exhausted': true,
  'challenge-expired': true,
  'challenge-consumed': true,
  'consumption-refused': true,
  'stranger-refused': true,
  'challenge-cancelled': true,
  'challenge-reported': true,
  'subject-locked': true,
  'lock-notice-sent': true,
  'lock-notice-failed': true,
  'otp-sent': true,
  'otp-deferred': true,
  'otp-failed': true,
  'otp-delayed': true,
  'otp-delivered': true,
  'otp-bounced': true,
  'address-suppressed': true,
  'user-put': true,
  'user-erased': true,
  'suppression-lifted': true,
  'subject-unlocked': true,
  'security-notice-sent': true,
  'security-notice-failed': true,
} satisfies Record<RecordedEvent['type'], true>) as RecordedEvent['type'][]

const Event = z
  .strictObject({
    type: z.enum(EVENT_TYPES),
    occurredAt: Instant,
    actor: z.string().meta({
      description:
        'Who acted: `user:<id>`, `client:<id>`, `agent:<id>` (of the support), `operator:<what>`, `mail-reader`, `mail-system` or `service`.',
      examples: ['user:alice'],
    }),
    requestId: z
      .string()
      .nullable()
      .meta({ description: 'The id of the request that caused the event. Null if none did.' }),
    remoteAddress: z
      .string()
      .nullable()
      .meta({ description: 'The address that the request came from. Null if it is unknown.' }),
    subjectUserId: z.string(),
    details: z
      .strictObject({
        clientId: z.string(),
        operationType: z.string(),
        issuanceId: z.string(),
        noticeId: z.string(),
        number: z.int().min(1),
        attemptsRemaining: z.int().min(0),
        attempt: z.int().min(1),
        until: Instant,
        reason: z.string(),
        reply: z.string().meta({
          description: 'What the mail system replied to an attempt that failed, in codes only.',
          examples: ['smtp RCPT 451 4.7.1'],
        }),
        kind: z.string(),
        statusBefore: Status.meta({ description: 'How the challenge stood when it was reported.' }),
        mail: z
          .enum(['otp', 'lock-notice'])
          .meta({ description: 'The mail whose link its reader followed.' }),
        emailAddressChanged: z.boolean(),
      })
      .partial()
      .meta({ description: 'Details of the event. Which ones it has depends on its type.' }),
  })
  .meta({ id: 'Event', description: 'One decision about a challenge. It is never changed.' })
export type EventBody = BodyOf<typeof Event>

export const Trail = z.strictObject({
  events: z.array(Event).meta({ description: 'In the order of the decisions.' }),
})
