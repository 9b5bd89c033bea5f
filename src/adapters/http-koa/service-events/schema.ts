import { z } from 'zod'
import { MAX_WEBHOOK_URL } from '../../../domain/webhook-registration.ts'

/** The domain checks the URL and says what is wrong. Its form is written here only for the document. */
export const WebhookDemand = z.strictObject({
  url: z
    .string()
    .refine((text) => text.trim() !== '')
    .optional()
    .meta({
      pattern: String.raw`^[Hh][Tt][Tt][Pp][Ss]?:[^\x00-\x20\x7f-\xa0#]+$`,
      maxLength: MAX_WEBHOOK_URL,
      description: `Where events are sent: an \`https://\` URL of at most ${MAX_WEBHOOK_URL} characters without a user, a password and a fragment. It must not lead to a loopback, link-local, private or reserved address, unless the configuration allows it. Absent: no events are sent, and the service reads them with a cursor.`,
      examples: ['https://payments.bank.example/countersign-events'],
    }),
})

export const SecretRotation = z.strictObject({
  keepPrevious: z.boolean().default(true).meta({
    description:
      'Whether deliveries are also signed with the secret before, so that the service can change over. Set it to false if that secret has leaked.',
  }),
})

/** How many events one answer has at most. A client with 255 characters to each id still reads them in one bounded answer. */
const MAX_EVENTS = 200
const DEFAULT_EVENTS = 100

/** A whole number in a query. */
const whole = (pattern: RegExp, rule: string) => z.string().regex(pattern, rule).transform(Number)

export const EventsQuery = z.strictObject({
  after: whole(/^[0-9]{1,16}$/, 'must be a position, as in `nextAfter`')
    .refine(Number.isSafeInteger, 'must be a position, as in `nextAfter`')
    .default(0)
    .meta({
      param: {
        description:
          'The cursor: `nextAfter` of the answer before, or `position` of an event. Absent: from the first event that is stored.',
        example: '1893456000000000',
      },
    }),
  limit: whole(/^(?:[1-9][0-9]?|1[0-9][0-9]|200)$/, `must be a whole number from 1 to ${MAX_EVENTS}`)
    .default(DEFAULT_EVENTS)
    .meta({
      param: {
        description: `How many events the answer may have, 1 to ${MAX_EVENTS}. Absent: ${DEFAULT_EVENTS}.`,
        example: '100',
      },
    }),
})
