import { z } from 'zod'
import { DIGEST, OPERATION_TYPE, Operation } from '../../../domain/operation.ts'
import { ONE_LINE } from '../edge/document-patterns.ts'
import { Identity } from '../users/schema.ts'

const DAY_IN_SECONDS = 86_400

/* The domain checks forms and lengths and says what is wrong. They are written here only for the document. */

export const OperationType = z.string().meta({
  pattern: OPERATION_TYPE.source,
  maxLength: Operation.maxTypeLength,
  description: 'The kind of operation, in the service’s own terms.',
  examples: ['payments.initiate'],
})

export const Digest = z.string().meta({
  pattern: DIGEST.source,
  description: 'SHA-256 of the operation’s own request, in base64url without padding: 43 characters.',
  examples: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
})

export const Summary = z
  .array(
    z.strictObject({
      label: z.string().meta({ pattern: ONE_LINE, maxLength: Operation.maxLabelLength }),
      value: z.string().meta({ pattern: ONE_LINE, maxLength: Operation.maxValueLength }),
    }),
  )
  .meta({
    minItems: 1,
    maxItems: Operation.maxSummaryLines,
    description: `The lines that the user reads in the mail, in this order: everything that a person needs to recognise the operation. At most ${Operation.maxSummaryLines} lines; a label has at most ${Operation.maxLabelLength} UTF-16 code units, a value at most ${Operation.maxValueLength}. Each is one line that is not blank, without control characters and lone surrogates.`,
    examples: [
      [
        { label: 'Amount', value: 'EUR 1,250.00' },
        { label: 'To', value: 'ACME GmbH' },
      ],
    ],
  })

export const Demand = z.strictObject({
  subjectUserId: Identity.meta({ description: 'The user who must countersign.', examples: ['alice'] }),
  operation: z.strictObject({ type: OperationType, digest: Digest, summary: Summary }),
  expiresInSeconds: z
    .int()
    .min(1)
    .max(DAY_IN_SECONDS)
    .optional()
    .meta({
      description:
        'How long the challenge can be used: 1 to 86,400 seconds. Without it, the configured lifetime applies.',
      examples: [900],
    }),
})

export const Consumption = z.strictObject({
  signature: z.string().meta({
    description: 'The signature of the challenge, as the user’s app returned it.',
    examples: ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'],
  }),
  digest: z.string().meta({
    description: 'The digest of the operation that the service is about to carry out.',
    examples: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
  }),
})

/** The place after which a page starts: a deadline in milliseconds, and an id. Callers take it as it is. */
export const PLACE = /^([0-9]{1,14})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

const MAX_PAGE = 100
const USUAL_PAGE = 25

export const ChallengeQuery = z.strictObject({
  subjectUserId: Identity.meta({
    param: { description: 'The user whose challenges are listed.', example: 'alice' },
  }),
  clientId: Identity.optional().meta({
    param: { description: 'Lists only the challenges of this client.', example: 'payments' },
  }),
  after: z
    .string()
    .regex(PLACE, 'must be the `next` of a page')
    .optional()
    .meta({
      param: {
        description: 'The `next` of the page before. Absent for the first page.',
        example: '1893456000000.01941f29-7c00-7000-8000-000000000000',
      },
    }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(USUAL_PAGE)
    .meta({
      param: { description: `How many challenges a page has at most: 1 to ${MAX_PAGE}.`, example: 10 },
    }),
})

export const IDEMPOTENCY_KEY_FIELD = 'plmr-idempotency-key'
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/
