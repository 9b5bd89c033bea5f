import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { WEBHOOK_ERRORS } from '../../edge/error-table.ts'
import { errorResponses } from '../../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../../edge/headers.openapi.ts'
import { POSTMARK_WEBHOOK } from '../../paths.ts'
import { Bounce, Delivery, OtherReport, SpamComplaint, SubscriptionChange } from './report.ts'

const Report = z
  .union([
    Delivery.meta({ id: 'Delivery' }),
    Bounce.meta({ id: 'Bounce' }),
    SpamComplaint.meta({ id: 'SpamComplaint' }),
    SubscriptionChange.meta({ id: 'SubscriptionChange' }),
    OtherReport.meta({
      id: 'OtherReport',
      description: 'A report of any other type. It is accepted and ignored.',
    }),
  ])
  .meta({
    id: 'PostmarkReport',
    description:
      'Postmark defines this form. Only the members that the service uses are described. All others are dropped when the report is read, such as the content of the mail.',
  })

const Metadata = { issuance: '0197a000-0000-7000-8000-000000000001' }

/** Postmark reports here what happened to a mail. */
export const postmarkWebhookPaths: ZodOpenApiPathsObject = {
  [POSTMARK_WEBHOOK]: {
    post: {
      operationId: 'reportMail',
      summary: 'Report what happened to a mail',
      description:
        'Postmark calls this. Reports may arrive twice, late and in any order. The body may have up to 64 KiB. If no user and password are configured for it, this path does not exist.',
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
          description: 'The report was stored, or ignored if it does not concern this service.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': { schema: z.strictObject({}), examples: { received: { value: {} } } },
          },
        },
        ...errorResponses(WEBHOOK_ERRORS, [
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
