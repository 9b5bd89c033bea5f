import { z } from 'zod'

/*
 * What the service answers, as docs/openapi.json has it. Members that are new there are dropped here, so that a newer service does
 * not break an older client.
 */
const SummaryLine = z.object({ label: z.string(), value: z.string() })
const Summary = z.array(SummaryLine).readonly()
const Instant = z.iso.datetime()
const TotpEmail = z.object({ type: z.literal('totp-email'), initiate: z.string(), verify: z.string() })
export const OpenedChallenge = z.object({
  challengeId: z.string(),
  signature: z.string(),
  expiresAt: Instant,
  methods: z.array(TotpEmail).nonempty().readonly(),
})
export const Challenge = z.object({
  challengeId: z.string(),
  status: z.enum(['pending', 'verified', 'consumed', 'expired', 'exhausted', 'cancelled']),
  subjectUserId: z.string(),
  operation: z.object({ type: z.string(), summary: Summary }),
  createdAt: Instant,
  expiresAt: Instant,
  attemptsRemaining: z.int(),
  issuance: z
    .object({
      reference: z.string(),
      recipient: z.string(),
      issuedAt: Instant,
      expiresAt: Instant,
      resendAvailableAt: Instant.nullable(),
      delivery: z.enum(['queued', 'sent', 'delivered', 'bounced', 'failed']),
      sentAt: Instant.optional(),
      deliveredAt: Instant.optional(),
      bouncedAt: Instant.optional(),
      failedAt: Instant.optional(),
    })
    .nullable(),
})
export const ConsumedChallenge = z.object({
  challengeId: z.string(),
  subjectUserId: z.string(),
  operation: z.object({ type: z.string(), digest: z.string(), summary: Summary }),
  verifiedAt: Instant,
  consumedAt: Instant,
  authorisation: z.string(),
})
export const User = z.object({
  userId: z.string(),
  email: z.string(),
  locale: z.string().optional(),
  displayName: z.string().optional(),
})
export const ErrorBody = z.object({
  code: z.string().regex(/^urn:plmr:[a-z-]+:api:[A-Z_]+$/),
  requestId: z.string(),
  fieldErrors: z.array(z.object({ code: z.string(), field: z.string() })).default([]),
})
