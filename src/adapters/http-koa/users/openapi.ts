import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import type { BodyOf } from '../edge/body-of.ts'
import { OPERATION_SERVICE_ERRORS } from '../edge/error-table.ts'
import { errorResponses } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { USERS } from '../paths.ts'
import { DirectoryEntry, Identity } from './schema.ts'

const User = z
  .strictObject({
    userId: Identity,
    email: z.string(),
    locale: z.string().optional(),
    displayName: z.string().optional(),
  })
  .meta({ id: 'User', description: 'What the directory stores about a user.' })
export type UserBody = BodyOf<typeof User>

const ENTRY = { email: 'alice@example.com', locale: 'de-AT', displayName: 'Alice Smith' }
const USER = `${USERS}/{userId}`
const SUPPRESSION = `${USER}/suppression`

const USER_PATH = z.object({
  userId: Identity.meta({
    param: {
      id: 'UserId',
      description: 'The `sub` of the user’s tokens: 1 to 255 printable ASCII characters, percent-encoded.',
      example: 'alice',
    },
  }),
})
const REQUEST = { path: USER_PATH, header: z.object(REQUEST_HEADERS) }
const ELSEWHERE =
  'If the service is configured to use another directory, the path does not support this method.'

const withUser = (description: string) => ({
  description,
  headers: z.object(ANSWER_HEADERS),
  content: {
    'application/json': { schema: User, examples: { alice: { value: { userId: 'alice', ...ENTRY } } } },
  },
})

/** The user directory, which the services that own the users keep up to date. */
export const userPaths: ZodOpenApiPathsObject = {
  [USER]: {
    get: {
      operationId: 'readUser',
      summary: 'Read a user',
      description: 'Needs the scope `mfa:users:read`.',
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        200: withUser('The user.'),
        ...errorResponses(OPERATION_SERVICE_ERRORS, [
          'bad-request',
          'unauthorized',
          'forbidden',
          'user-not-found',
          'fault',
          'unavailable',
        ]),
      },
    },
    put: {
      operationId: 'putUser',
      summary: 'Add or replace a user',
      description: `Needs the scope \`mfa:users:write\`. If the e-mail address changes, the user’s live challenges are cancelled. ${ELSEWHERE}`,
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: DirectoryEntry.meta({ id: 'DirectoryEntry' }),
            examples: { alice: { value: ENTRY } },
          },
        },
      },
      responses: {
        200: withUser('The user was replaced.'),
        201: withUser('The user was added.'),
        ...errorResponses(
          OPERATION_SERVICE_ERRORS,
          [
            'bad-request',
            'user-malformed',
            'email-address-malformed',
            'unauthorized',
            'forbidden',
            'method-unknown',
            'body-too-large',
            'body-not-json',
            'fault',
            'unavailable',
          ],
          { fieldFault: { code: 'MALFORMED', message: 'Not one plain e-mail address', field: 'email' } },
        ),
      },
    },
    delete: {
      operationId: 'eraseUser',
      summary: 'Erase a user',
      description: `Needs the scope \`mfa:users:write\`. Erases the entry and every address that a code was sent to, and cancels the live challenges. The audit trail is kept; it holds no address. ${ELSEWHERE}`,
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        204: { description: 'The user was erased, or did not exist.', headers: z.object(ANSWER_HEADERS) },
        ...errorResponses(OPERATION_SERVICE_ERRORS, [
          'bad-request',
          'unauthorized',
          'forbidden',
          'method-unknown',
          'fault',
          'unavailable',
        ]),
      },
    },
  },
  [SUPPRESSION]: {
    delete: {
      operationId: 'liftSuppression',
      summary: 'Use a suppressed address again',
      description:
        'Needs the scope `mfa:users:write`. Lifts the suppression that a bounce or a complaint caused in this service. The mail provider may have a suppression of its own.',
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        204: { description: 'The address is not suppressed.', headers: z.object(ANSWER_HEADERS) },
        ...errorResponses(OPERATION_SERVICE_ERRORS, [
          'bad-request',
          'unauthorized',
          'forbidden',
          'fault',
          'unavailable',
        ]),
      },
    },
  },
}
