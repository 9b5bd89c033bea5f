import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import type { BodyOf } from '../adapters/http-koa/edge/body-of.ts'
import { SERVICE_ERRORS } from '../adapters/http-koa/edge/error-table.ts'
import { errorResponses } from '../adapters/http-koa/edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../adapters/http-koa/edge/headers.openapi.ts'
import { MAILBOX, TOKEN } from './paths.ts'
import { TokenRequest } from './schema.ts'

const Mailbox = z
  .array(
    z
      .strictObject({
        id: z.string(),
        from: z.string().optional().meta({
          description: 'The sender of the brand. Absent if the client has none of its own.',
        }),
        to: z.string(),
        subject: z.string(),
        text: z.string(),
        html: z.string(),
        sentAt: z.date(),
      })
      .meta({ id: 'Mail' }),
  )
  .meta({ id: 'Mailbox', description: 'The mails, newest first.' })
export type MailboxBody = BodyOf<typeof Mailbox>

const Token = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().min(1).meta({ description: 'The lifetime of the token in seconds.' }),
  })
  .meta({ id: 'Token' })
export type TokenBody = BodyOf<typeof Token>

const HEADERS = z.object(REQUEST_HEADERS)
const Page = z.string().meta({ description: 'An HTML document.' })
const ONLY = 'For development only: in production this path does not exist.'

/** Stand-ins for the identity provider and for the user's mail program. */
export const developmentPaths: ZodOpenApiPathsObject = {
  [TOKEN]: {
    post: {
      operationId: 'issueDevelopmentToken',
      summary: 'Get an access token for any user or service',
      description: `${ONLY} Stands in for the identity provider.`,
      tags: ['Development'],
      security: [],
      requestParams: { header: HEADERS },
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: TokenRequest.meta({ id: 'TokenRequest' }),
            examples: {
              user: { value: { sub: 'alice' } },
              service: { value: { client_id: 'payments', scope: 'mfa:challenges:create' } },
            },
          },
        },
      },
      responses: {
        200: {
          description: 'The token.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': {
              schema: Token,
              examples: {
                token: {
                  value: {
                    access_token: 'eyJhbGciOiJFUzI1NiJ9.e30.',
                    token_type: 'Bearer',
                    expires_in: 3600,
                  },
                },
              },
            },
          },
        },
        ...errorResponses(
          SERVICE_ERRORS,
          ['bad-request', 'route-unknown', 'body-too-large', 'body-not-json', 'fault'],
          { fieldFault: { code: 'NOT_NULL', message: 'must not be null', field: 'sub' } },
        ),
      },
    },
  },
  [MAILBOX]: {
    get: {
      operationId: 'readDevelopmentMailbox',
      summary: 'Read the mails that were sent',
      description: `${ONLY} Nor does it exist if mails go to a real mail system. The answer is JSON, or a page if the caller prefers HTML.`,
      tags: ['Development'],
      security: [],
      requestParams: {
        header: HEADERS,
        query: z.object({
          to: z
            .string()
            .optional()
            .meta({ param: { description: 'Shows only the mails to this address.' } }),
          id: z
            .string()
            .optional()
            .meta({ param: { description: 'The mail that the page opens. Without it, the newest.' } }),
          view: z
            .string()
            .optional()
            .meta({ param: { description: 'With `text`, the page shows the mail as plain text.' } }),
        }),
      },
      responses: {
        200: {
          description: 'The mails, newest first.',
          headers: z.object({
            ...ANSWER_HEADERS,
            Vary: z
              .string()
              .meta({ header: { description: 'The request header that selects JSON or HTML.' } }),
            ETag: z
              .string()
              .optional()
              .meta({ header: { description: 'Changes whenever the page changes.' } }),
          }),
          content: {
            'application/json': {
              schema: Mailbox,
              examples: {
                'one-mail': {
                  value: [
                    {
                      id: '0197a000-0000-7000-8000-000000000001',
                      to: 'alice@example.com',
                      subject: 'Your confirmation code (QK)',
                      text: 'Your code: 042917',
                      html: '<p>Your code: <b>042917</b></p>',
                      sentAt: '2030-01-01T12:00:21.000Z',
                    },
                  ],
                },
              },
            },
            'text/html': { schema: Page },
          },
        },
        ...errorResponses(SERVICE_ERRORS, ['route-unknown', 'fault']),
      },
    },
  },
  [`${MAILBOX}/{id}`]: {
    get: {
      operationId: 'readDevelopmentMail',
      summary: 'Read the HTML of one mail',
      description: ONLY,
      tags: ['Development'],
      security: [],
      requestParams: {
        header: HEADERS,
        path: z.object({ id: z.string().meta({ param: { description: 'The id of the mail.' } }) }),
      },
      responses: {
        200: {
          description: 'The mail, as it was sent.',
          headers: z.object(ANSWER_HEADERS),
          content: { 'text/html': { schema: Page } },
        },
        ...errorResponses(SERVICE_ERRORS, ['route-unknown', 'fault']),
      },
    },
  },
}
