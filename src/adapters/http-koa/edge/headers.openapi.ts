import { z } from 'zod'

const REQUEST_ID = '5d9c9d5e-6f1f-4c5b-9a57-1b2f0a3f6c1d'

/** Headers that every request may have. */
export const REQUEST_HEADERS = {
  'X-Request-ID': z
    .string()
    .optional()
    .meta({
      param: {
        id: 'RequestId',
        description:
          'Names the request in the response, the log and the audit trail. It may have 1 to 128 characters of `A-Z a-z 0-9 . _ -`; anything else is replaced by a new id.',
        example: REQUEST_ID,
      },
    }),
}

const RequestId = z.string().meta({
  header: {
    id: 'X-Request-ID',
    description: 'The id of the request: the one that the caller sent, or a new one.',
  },
  pattern: '^[A-Za-z0-9._-]{1,128}$',
  examples: [REQUEST_ID],
})
const NoSniff = z.literal('nosniff').meta({
  header: { id: 'X-Content-Type-Options', description: 'Browsers must not guess another content type.' },
})
const ContentSecurityPolicy = z.string().meta({
  header: {
    id: 'Content-Security-Policy',
    description: 'What a browser may load and run for this response.',
  },
})
const NoReferrer = z.literal('no-referrer').meta({
  header: {
    id: 'Referrer-Policy',
    description: 'Browsers must not send the address of this response to other sites.',
  },
})
const NoStore = z.literal('no-store').meta({
  header: { id: 'NoStore', description: 'The response must not be stored.' },
})

/** Headers of every answer, unless an answer describes others. */
export const ANSWER_HEADERS = {
  'X-Request-ID': RequestId,
  'X-Content-Type-Options': NoSniff,
  'Cache-Control': NoStore,
  'Content-Security-Policy': ContentSecurityPolicy,
  'Referrer-Policy': NoReferrer,
}

export const WwwAuthenticate = z.string().meta({
  header: { description: 'How to authenticate (RFC 9110 §11.6.1).' },
  pattern: '^(Bearer|Basic)( |$)',
  examples: ['Bearer error="invalid_token"'],
})

export const Allow = z.string().meta({
  header: { description: 'The methods that the path supports.' },
  examples: ['HEAD, GET'],
})

export const RetryAfter = z
  .int()
  .min(0)
  .meta({
    header: { description: 'Seconds to wait before the next try.' },
    examples: [20],
  })

export const RateLimitPolicy = z.string().meta({
  header: { description: 'How many wrong codes a challenge allows (draft-ietf-httpapi-ratelimit-headers).' },
  pattern: '^"totp";q=[0-9]+$',
  examples: ['"totp";q=5'],
})

export const RateLimit = z.string().meta({
  header: {
    description:
      'Wrong codes that are still allowed (`r`) and seconds until the challenge ends (`t`). An app can warn before the last one.',
  },
  pattern: '^"totp";r=[0-9]+;t=[0-9]+$',
  examples: ['"totp";r=4;t=840'],
})
