import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import type { BodyOf } from '../edge/body-of.ts'
import { refusals } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { DirectoryEntry, Identity } from './schema.ts'

const User = z
  .strictObject({
    userId: Identity,
    email: z.string(),
    locale: z.string().optional(),
    displayName: z.string().optional(),
  })
  .meta({ id: 'User', description: 'What the directory knows of a user.' })
export type UserBody = BodyOf<typeof User>

const ENTRY = { email: 'alice@example.com', locale: 'de-AT', displayName: 'Alice Smith' }
const USER = '/internal/v1/mfa/users/{userId}'
const SUPPRESSION = `${USER}/suppression`

const USER_PATH = z.object({
  userId: Identity.meta({
    param: {
      id: 'UserId',
      description: 'The `sub` of the user’s tokens, percent-encoded.',
      example: 'alice',
    },
  }),
})
const REQUEST = { path: USER_PATH, header: z.object(REQUEST_HEADERS) }
const ELSEWHERE = 'Where the users are kept in a directory elsewhere, the path does not know this method.'

const withUser = (description: string) => ({
  description,
  headers: z.object(ANSWER_HEADERS),
  content: {
    'application/json': { schema: User, examples: { alice: { value: { userId: 'alice', ...ENTRY } } } },
  },
})

/** The user directory, as the services that own the users keep it. */
export const userPaths: ZodOpenApiPathsObject = {
  [USER]: {
    get: {
      operationId: 'readUser',
      summary: 'Read a user',
      description: 'Asks for the scope `mfa:users:read`.',
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        200: withUser('The user.'),
        ...refusals(USER, [
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
      summary: 'Put a user into the directory',
      description: `Asks for the scope \`mfa:users:write\`. A changed e-mail address ends the live challenges of the user. ${ELSEWHERE}`,
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
        200: withUser('The user is as put.'),
        201: withUser('The user is new, and as put.'),
        ...refusals(
          USER,
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
          { fieldFault: { code: 'MALFORMED', message: 'must be a language tag (BCP 47)', field: 'locale' } },
        ),
      },
    },
    delete: {
      operationId: 'eraseUser',
      summary: 'Forget a user',
      description: `Asks for the scope \`mfa:users:write\`. Erases the entry and every address that a code was sent to, and ends the live challenges. The audit trail stays, which holds no address. ${ELSEWHERE}`,
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        204: { description: 'There is no such user, any more or at all.', headers: z.object(ANSWER_HEADERS) },
        ...refusals(USER, [
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
        'Asks for the scope `mfa:users:write`. Lifts what a bounce or a complaint has brought about here; the mail provider may still hold its own.',
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        204: { description: 'Nothing is held against the address.', headers: z.object(ANSWER_HEADERS) },
        ...refusals(SUPPRESSION, ['bad-request', 'unauthorized', 'forbidden', 'fault', 'unavailable']),
      },
    },
  },
}
