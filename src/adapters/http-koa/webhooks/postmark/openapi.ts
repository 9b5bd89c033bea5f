import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { refusals } from '../../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../../edge/headers.openapi.ts'
import { Bounce, Delivery, SpamComplaint, SubscriptionChange } from './report.ts'

const KNOWN = ['Delivery', 'Bounce', 'SpamComplaint', 'SubscriptionChange']

const OtherReport = z
  .object({ RecordType: z.string().meta({ not: { enum: KNOWN } }) })
  .meta({ id: 'OtherReport', description: 'An event of no interest here. It is accepted and ignored.' })

const Report = z
  .union([
    Delivery.meta({ id: 'Delivery' }),
    Bounce.meta({ id: 'Bounce' }),
    SpamComplaint.meta({ id: 'SpamComplaint' }),
    SubscriptionChange.meta({ id: 'SubscriptionChange' }),
    OtherReport,
  ])
  .meta({
    id: 'PostmarkReport',
    description:
      'The form is Postmark’s. Only what is used is described; whatever else a report has is dropped where it is read, the content of the mail before all.',
  })

const PATH = '/webhooks/postmark'
const Metadata = { issuance: '0197a000-0000-7000-8000-000000000001' }

/** What Postmark calls to say what became of a mail. */
export const postmarkWebhookPaths: ZodOpenApiPathsObject = {
  [PATH]: {
    post: {
      operationId: 'reportMail',
      summary: 'Report what became of a mail',
      description:
        'Called by Postmark. Reports may come twice, late and in any order. Where no user and password are configured for it, this path does not exist.',
      tags: ['Mail reports'],
      security: [{ mailSystem: [] }],
      requestParams: { header: z.object(REQUEST_HEADERS) },
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: Report,
            examples: {
              delivery: {
                value: { RecordType: 'Delivery', DeliveredAt: '2030-01-01T12:00:03.1234567Z', Metadata },
              },
              bounce: {
                value: {
                  RecordType: 'Bounce',
                  Type: 'HardBounce',
                  Inactive: true,
                  BouncedAt: '2030-01-01T07:00:04.2735393-05:00',
                  Metadata,
                },
              },
              complaint: {
                value: { RecordType: 'SpamComplaint', BouncedAt: '2030-01-01T12:00:04Z', Metadata },
              },
              reactivation: {
                value: {
                  RecordType: 'SubscriptionChange',
                  Recipient: 'alice@example.com',
                  SuppressSending: false,
                  SuppressionReason: null,
                  ChangedAt: '2030-01-01T12:00:05.416071Z',
                  Metadata: {},
                },
              },
            },
          },
        },
      },
      responses: {
        200: {
          description: 'Heard.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': { schema: z.strictObject({}), examples: { heard: { value: {} } } },
          },
        },
        ...refusals(PATH, [
          'bad-request',
          'unauthorized',
          'route-unknown',
          'body-too-large',
          'body-not-json',
          'fault',
          'unavailable',
        ]),
      },
    },
  },
}
