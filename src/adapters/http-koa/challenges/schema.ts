import { z } from 'zod'
import { DIGEST, OPERATION_TYPE, Operation, READABLE } from '../../../domain/operation.ts'
import { Identity } from '../users/schema.ts'

const DAY_IN_SECONDS = 86_400

/** Forms and lengths are checked by the domain, which says what is wrong; here they stand for the document. */
export const OperationType = z.string().meta({
  pattern: OPERATION_TYPE.source,
  maxLength: Operation.maxTypeLength,
  description: 'The kind of the operation, in the words of its service.',
  examples: ['payments.initiate'],
})

export const Digest = z.string().meta({
  pattern: DIGEST.source,
  description: "SHA-256 over the operation's own request, base64url without padding.",
  examples: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
})

export const Summary = z
  .array(
    z.strictObject({
      label: z.string().meta({ pattern: READABLE.source, maxLength: Operation.maxLabelLength }),
      value: z.string().meta({ pattern: READABLE.source, maxLength: Operation.maxValueLength }),
    }),
  )
  .meta({
    minItems: 1,
    maxItems: Operation.maxSummaryLines,
    description:
      'What the user reads in the mail, in this order: what a person needs in order to recognise the operation. Lengths are counted in UTF-16 units.',
    examples: [
      [
        { label: 'Amount', value: 'EUR 1,250.00' },
        { label: 'To', value: 'ACME GmbH' },
      ],
    ],
  })

export const Demand = z.strictObject({
  subjectUserId: Identity.meta({ description: 'The user who is to countersign.', examples: ['alice'] }),
  operation: z.strictObject({ type: OperationType, digest: Digest, summary: Summary }),
  expiresInSeconds: z
    .int()
    .min(1)
    .max(DAY_IN_SECONDS)
    .optional()
    .meta({
      description: 'How long the challenge lives. Left out: as long as the service is configured to let it.',
      examples: [900],
    }),
})

export const Consumption = z.strictObject({
  signature: z.string().meta({
    description: 'The signature of the challenge, as it came back through the user’s app.',
    examples: ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'],
  }),
  digest: z.string().meta({
    description: 'The digest of the operation that is about to be carried out.',
    examples: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
  }),
})

export const IDEMPOTENCY_KEY_FIELD = 'plmr-idempotency-key'
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/
