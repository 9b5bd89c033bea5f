import { z } from 'zod'

/*
 * The answers of the service. The descriptions are those of its API document; a test compares them. The client drops new
 * members of an answer, so that a newer service does not break an older client. Times are ISO 8601, in UTC.
 */

/** One line of what the user reads in the mail. */
export interface SummaryLine {
  readonly label: string
  readonly value: string
}

/** How the user can verify a challenge. */
export interface VerificationMethod {
  readonly type: 'totp-email'
  /** The path to ask for a code. */
  readonly initiate: string
  /** The path to send the code to. */
  readonly verify: string
}

/** A challenge that `openChallenge` has opened. */
export interface OpenedChallenge {
  /** A UUID in its canonical form, in lower case. */
  readonly challengeId: string
  /**
   * A compact JWS (EdDSA) over the challenge id, subject, client, operation with the digest of its summary, and expiry. Pass it to
   * the user’s app with the id; the app returns both.
   */
  readonly signature: string
  /** From this time on, nothing can be approved with the challenge. */
  readonly expiresAt: string
  /** The methods by which the user can verify the challenge. */
  readonly methods: readonly VerificationMethod[]
}

/** A challenge as `inspectChallenge` finds it. */
export interface Challenge {
  /** A UUID in its canonical form, in lower case. */
  readonly challengeId: string
  /**
   * `pending`: waits for the right code. `verified`: approved, and not yet consumed. `consumed`: the approval was used. `expired`,
   * `exhausted` by wrong codes, `cancelled`: over without an approval.
   */
  readonly status: 'pending' | 'verified' | 'consumed' | 'expired' | 'exhausted' | 'cancelled'
  /** The user who has to approve the operation. */
  readonly subjectUserId: string
  /** The operation that the challenge is about. */
  readonly operation: {
    /** The kind of operation, in the service’s own terms. */
    readonly type: string
    /**
     * The lines that the user reads in the mail, in this order: everything that a person needs to recognise the operation. At most
     * 10 lines; a label has at most 40 UTF-16 code units, a value at most 200. Each is one line that is not blank, without control
     * characters and lone surrogates.
     */
    readonly summary: readonly SummaryLine[]
  }
  /** When the challenge was opened. */
  readonly createdAt: string
  /** From this time on, nothing can be approved with the challenge. */
  readonly expiresAt: string
  /** How many more wrong codes this challenge allows. */
  readonly attemptsRemaining: number
  /** Whose challenge it is, as the mails show it. Absent if the client has no brand of its own. */
  readonly brand?: {
    /** The name of the brand. */
    readonly name: string
    /** The colour of the brand, as in `#7a1f2b`. */
    readonly color: string
    /** Black or white: the one that is easier to read on the colour, at least 4.5 to 1. */
    readonly textColor: string
    /** An https URL of a picture that stands on the colour in place of the name. Null: the name. */
    readonly logoUrl: string | null
  }
  /** The newest code. Null before the first one. */
  readonly issuance: Issuance | null
}

/** The newest code of a challenge, without the code. */
export interface Issuance {
  /** Two letters that the mail shows too. A user with two mails sees from them which code counts. */
  readonly reference: string
  /** The masked e-mail address. */
  readonly recipient: string
  /** When the user asked for the code. */
  readonly issuedAt: string
  /** The code is rejected from this time on. */
  readonly expiresAt: string
  /**
   * From when the user may ask for the next code. Null if this challenge allows no more codes, or if the address may get no mail.
   */
  readonly resendAvailableAt: string | null
  /** How many digits the code has. An app can refuse anything shorter or longer itself, without a call. */
  readonly codeDigits?: number | undefined
  /**
   * The state of the mail: `queued`, waiting to be sent; `sent`, accepted by our mail system; `delivered`, accepted by the
   * recipient’s; `bounced`, returned; `failed`, given up.
   */
  readonly delivery: 'queued' | 'sent' | 'delivered' | 'bounced' | 'failed'
  /** When our mail system accepted the mail. Absent before that. */
  readonly sentAt?: string | undefined
  /**
   * When our mail system reported that the mail waits: the code will be late. Absent if it did not. The `delivery` stays `sent`
   * meanwhile.
   */
  readonly delayedAt?: string | undefined
  /** When the recipient’s mail system accepted the mail. Absent before that, and if nobody reported it. */
  readonly deliveredAt?: string | undefined
  /** When the mail came back. Absent if it did not. */
  readonly bouncedAt?: string | undefined
  /** When the service gave the mail up. Absent if it did not. */
  readonly failedAt?: string | undefined
}

/** A challenge whose approval `consumeChallenge` has consumed. */
export interface ConsumedChallenge {
  /** A UUID in its canonical form, in lower case. */
  readonly challengeId: string
  /** The user who has approved the operation. */
  readonly subjectUserId: string
  /** The operation that was approved. */
  readonly operation: {
    /** The kind of operation, in the service’s own terms. */
    readonly type: string
    /** SHA-256 of the operation’s own request, in base64url without padding: 43 characters. */
    readonly digest: string
    /**
     * The lines that the user reads in the mail, in this order: everything that a person needs to recognise the operation. At most
     * 10 lines; a label has at most 40 UTF-16 code units, a value at most 200. Each is one line that is not blank, without control
     * characters and lone surrogates.
     */
    readonly summary: readonly SummaryLine[]
  }
  /** When the user entered the right code. */
  readonly verifiedAt: string
  /** When the approval was consumed first. A repeat has the same time. */
  readonly consumedAt: string
  /**
   * A compact JWS (EdDSA, `typ` countersign-authorisation+jwt). Anyone can check it with the keys of `/.well-known/jwks.json`; it is
   * valid for five minutes. Claims: `sub` is the subject, `aud` the client, `jti` the challenge; `operation`, `amr` and `auth_time`
   * say what was approved, how and when. `operation` has `type`, `digest` and `summary_digest`: SHA-256 (base64url without padding)
   * over the canonical JSON (RFC 8785) of the summary that the user read.
   */
  readonly authorisation: string
}

/** What the directory stores about a user. */
export interface User {
  /** The `sub` of the user’s access tokens. */
  readonly userId: string
  /** The address that codes are mailed to. */
  readonly email: string
  /** The language of the mails, as a BCP 47 tag. */
  readonly locale?: string | undefined
  /** How the mail addresses the user. */
  readonly displayName?: string | undefined
}

/** Where a service gets the events of its challenges. */
export interface WebhookEndpoint {
  /** The client that gets the events. */
  readonly clientId: string
  /** Where events are sent. Null if the service reads them with a cursor. */
  readonly url: string | null
  /**
   * Since when deliveries are paused: they failed for an hour, the endpoint answered 410, or an operator paused them. Null if they are
   * not. Events are kept meanwhile.
   */
  readonly pausedAt: string | null
  /** `service`: by this API. `configuration`: by the operator, so that this API can neither change nor remove it. */
  readonly registeredBy: 'configuration' | 'service'
  /** Whether deliveries are also signed with the secret before the newest one. */
  readonly previousSecretSigns: boolean
}

/** An endpoint with its secret. */
export interface SharedWebhookEndpoint extends WebhookEndpoint {
  /**
   * The newest secret, which verifies `v1` signatures of Standard Webhooks. Keep it as you keep a password. Null if the operator has
   * removed the key that it is derived from: rotate it.
   */
  readonly secret: string | null
}

/** An event in the JSON format of CloudEvents 1.0. */
export interface CloudEvent {
  /** The version of CloudEvents. */
  readonly specversion: '1.0'
  /** The same in each delivery and each list. It tells a repeat from another event. */
  readonly id: string
  /** The same for every event of Countersign. */
  readonly source: string
  /** What happened. Later versions add types: pass over those that you do not know. */
  readonly type: string
  /** The challenge. */
  readonly subject: string
  /** When it happened. */
  readonly time: string
  /** The media type of `data`. */
  readonly datacontenttype: 'application/json'
  /**
   * The challenge, and what is peculiar to the type, such as `attemptsRemaining`. It has no code, no address and no text of the
   * operation.
   */
  readonly data: {
    /** The challenge. */
    readonly challengeId: string
    /** The client that opened the challenge. */
    readonly clientId: string
    /** The user that the challenge is about. */
    readonly subjectUserId: string
    /** The place of the event among all. Later events have higher numbers, with gaps. */
    readonly position: number
  } & Readonly<Record<string, string | number>>
}

/** One page of the events of a client. */
export interface ServiceEventPage {
  /** In the order of their positions: the batch format of CloudEvents 1.0. */
  readonly events: readonly CloudEvent[]
  /** The cursor for the next call. Without events, it is the cursor of this one. */
  readonly nextAfter: number
}

export const Summary = z.array(z.object({ label: z.string(), value: z.string() })).readonly()
const Instant = z.iso.datetime()

const TotpEmail = z.object({ type: z.literal('totp-email'), initiate: z.string(), verify: z.string() })

export const OpenedChallenge: z.ZodType<OpenedChallenge> = z.object({
  challengeId: z.string(),
  signature: z.string(),
  expiresAt: Instant,
  methods: z.array(TotpEmail).nonempty().readonly(),
})

export const Challenge: z.ZodType<Challenge> = z.object({
  challengeId: z.string(),
  status: z.enum(['pending', 'verified', 'consumed', 'expired', 'exhausted', 'cancelled']),
  subjectUserId: z.string(),
  operation: z.object({ type: z.string(), summary: Summary }),
  createdAt: Instant,
  expiresAt: Instant,
  attemptsRemaining: z.int(),
  brand: z
    .object({ name: z.string(), color: z.string(), textColor: z.string(), logoUrl: z.string().nullable() })
    .exactOptional(),
  issuance: z
    .object({
      reference: z.string(),
      recipient: z.string(),
      issuedAt: Instant,
      expiresAt: Instant,
      resendAvailableAt: Instant.nullable(),
      // A service that is older than the kit does not send it.
      codeDigits: z.int().optional(),
      delivery: z.enum(['queued', 'sent', 'delivered', 'bounced', 'failed']),
      sentAt: Instant.optional(),
      delayedAt: Instant.optional(),
      deliveredAt: Instant.optional(),
      bouncedAt: Instant.optional(),
      failedAt: Instant.optional(),
    })
    .nullable(),
})

export const ConsumedChallenge: z.ZodType<ConsumedChallenge> = z.object({
  challengeId: z.string(),
  subjectUserId: z.string(),
  operation: z.object({ type: z.string(), digest: z.string(), summary: Summary }),
  verifiedAt: Instant,
  consumedAt: Instant,
  authorisation: z.string(),
})

export const User: z.ZodType<User> = z.object({
  userId: z.string(),
  email: z.string(),
  locale: z.string().optional(),
  displayName: z.string().optional(),
})

const ENDPOINT = {
  clientId: z.string(),
  url: z.string().nullable(),
  pausedAt: Instant.nullable(),
  registeredBy: z.enum(['configuration', 'service']),
  previousSecretSigns: z.boolean(),
}
export const WebhookEndpoint: z.ZodType<WebhookEndpoint> = z.object(ENDPOINT)
export const SharedWebhookEndpoint: z.ZodType<SharedWebhookEndpoint> = z.object({
  ...ENDPOINT,
  secret: z.string().nullable(),
})

const CloudEvent: z.ZodType<CloudEvent> = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: Instant,
  datacontenttype: z.literal('application/json'),
  data: z
    .object({
      challengeId: z.string(),
      clientId: z.string(),
      subjectUserId: z.string(),
      position: z.int(),
    })
    .catchall(z.union([z.string(), z.number()])),
})
export const ServiceEventPage: z.ZodType<ServiceEventPage> = z.object({
  events: z.array(CloudEvent).readonly(),
  nextAfter: z.int(),
})

export const ErrorBody = z.object({
  code: z.string().regex(/^urn:plmr:[a-z-]+:api:[A-Z_]+$/),
  requestId: z.string(),
  fieldErrors: z.array(z.object({ code: z.string(), field: z.string() })).default([]),
})
