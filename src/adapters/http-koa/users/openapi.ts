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

const Instant = z.date()

const Standing = z
  .strictObject({
    userId: Identity.meta({ description: 'The user.' }),
    lockedUntil: Instant.nullable().meta({ description: 'When the lock ends. Null without a lock.' }),
    attemptsRemaining: z
      .int()
      .min(0)
      .meta({ description: 'How many wrong codes are left before a lock. 0 while a lock lasts.' }),
    consecutiveFailures: z.int().min(0).meta({ description: 'Wrong codes since the last success or lock.' }),
    consecutiveLocks: z
      .int()
      .min(0)
      .meta({ description: 'Locks since the last success. Each doubles the next one.' }),
    issuancesOfLastHour: z
      .int()
      .min(0)
      .meta({ description: 'How many codes the user got in the last hour.' }),
    noCodeUntil: Instant.nullable().meta({
      description:
        'Until when the user gets no code, because of a lock, the codes of the last hour, or a new address. Null if nothing prevents one.',
    }),
    directory: z.enum(['present', 'absent', 'disabled', 'no-address']).meta({
      description: 'Whether the directory has the user. Only a user who is present gets codes.',
    }),
    address: z
      .strictObject({
        masked: z.string().meta({ description: 'The first character and the domain.' }),
        suppressed: z.boolean().meta({ description: 'Whether no mail goes to this address.' }),
      })
      .nullable()
      .meta({ description: 'The address in the directory. Null without one.' }),
    suppression: z
      .strictObject({
        masked: z.string().meta({ description: 'The first character and the domain.' }),
        reason: z.enum(['hard-bounce', 'complaint', 'unsubscribed', 'refused']).meta({
          description:
            '`hard-bounce`: the mailbox does not exist. `complaint`: its reader called a mail spam. `unsubscribed`: the reader wants no more mails. `refused`: the mail system refuses this recipient.',
        }),
        since: Instant.meta({ description: 'When the mail system said so.' }),
      })
      .nullable()
      .meta({
        description:
          'The address that gets no mail, which may be an earlier one. Null if there is no suppression.',
      }),
  })
  .meta({ id: 'Standing', description: 'What counts against a user, and whether a code can reach them.' })
export type StandingBody = BodyOf<typeof Standing>

const StoredRow = z.record(z.string(), z.unknown())

const SubjectExport = z
  .strictObject({
    userId: Identity,
    exportedAt: Instant.meta({ description: 'When the rows were read, all at one instant.' }),
    tables: z.record(z.string(), z.array(StoredRow)).meta({
      description:
        'The rows about the user as they are stored, by the name of their table. Each table that can have one is there. Later versions may have more tables and columns.',
    }),
  })
  .meta({ id: 'SubjectExport', description: 'All that this service keeps about a user.' })
export type SubjectExportBody = BodyOf<typeof SubjectExport>

const ENTRY = { email: 'alice@example.com', locale: 'de-AT', displayName: 'Alice Smith' }
const ENTRY_AS_STORED = { email: ENTRY.email, locale: ENTRY.locale, display_name: ENTRY.displayName }
const USER = `${USERS}/{userId}`
const SUPPRESSION = `${USER}/suppression`
const STANDING = `${USER}/standing`
const EXPORT = `${USER}/export`
const UNLOCK = `${USER}:unlock`

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
      description: `Needs the scope \`mfa:users:write\`. Erases the entry and every address that a code was sent to, and cancels the live challenges. It works the same without an entry, such as with another directory, which keeps its own. The audit trail is kept; it holds no address.`,
      tags: ['Users'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        204: { description: 'Nothing about the user is left to erase.', headers: z.object(ANSWER_HEADERS) },
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
  [STANDING]: {
    get: {
      operationId: 'readStanding',
      summary: 'Read how a user stands',
      description:
        'For the support. Needs the scope `mfa:support:read`. The answer has no code, and shows addresses only masked.',
      tags: ['Support'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'The standing of the user at this moment.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': {
              schema: Standing,
              examples: {
                locked: {
                  value: {
                    userId: 'alice',
                    lockedUntil: '2030-01-01T12:30:00.000Z',
                    attemptsRemaining: 0,
                    consecutiveFailures: 0,
                    consecutiveLocks: 1,
                    issuancesOfLastHour: 2,
                    noCodeUntil: '2030-01-01T12:30:00.000Z',
                    directory: 'present',
                    address: { masked: 'a•••@example.com', suppressed: false },
                    suppression: null,
                  },
                },
              },
            },
          },
        },
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
  },
  [EXPORT]: {
    get: {
      operationId: 'exportUser',
      summary: 'Export all that is kept about a user',
      description:
        'For the answer to a request by GDPR article 15. Needs the scope `mfa:users:export`. The answer has whole addresses and the summaries of operations. It has no code, because none is stored.',
      tags: ['Support'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'All rows as of one instant. About an unknown user, the tables are empty.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': {
              schema: SubjectExport,
              examples: {
                'one-table': {
                  value: {
                    userId: 'alice',
                    exportedAt: '2030-01-01T12:00:00.000Z',
                    tables: { users: [{ user_id: 'alice', ...ENTRY_AS_STORED }] },
                  },
                },
              },
            },
          },
        },
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
  [UNLOCK]: {
    post: {
      operationId: 'unlockUser',
      summary: 'End the lock of a user',
      description:
        'For the support. Needs the scope `mfa:support:write`. Leaves an event with the caller on the audit trail, and mails the user. The lock still counts: the next one lasts twice as long. The request needs no body; if it has one, it is not read.',
      tags: ['Support'],
      security: [{ serviceToken: [] }],
      requestParams: REQUEST,
      responses: {
        204: {
          description: 'The user is not locked, by this call or before it.',
          headers: z.object(ANSWER_HEADERS),
        },
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
