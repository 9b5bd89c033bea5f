import { z } from 'zod'
import type { ZodOpenApiPathsObject, ZodOpenApiResponseObject } from 'zod-openapi'
import { CHALLENGE_PATH } from '../challenges/challenge-id.openapi.ts'
import { refusals } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { Verification } from './routes.ts'

const INITIATE = '/internal/v1/mfa/totp-email/{challengeId}:initiate'
const VERIFY = '/internal/v1/mfa/totp-email/{challengeId}:verify'

const OVER = [
  'challenge-expired',
  'challenge-verified',
  'challenge-consumed',
  'challenge-exhausted',
  'challenge-cancelled',
] as const

function done(description: string): ZodOpenApiResponseObject {
  return {
    description,
    headers: z.object(ANSWER_HEADERS),
    'x-countersign-choice':
      'The published contract knows no body of success and names no status for it: 204 is our choice.',
  }
}

/** What the user's app calls: section 1 of the contract. */
export const totpEmailPaths: ZodOpenApiPathsObject = {
  [INITIATE]: {
    post: {
      operationId: 'initiateEmail',
      summary: 'Ask for a code by mail',
      description:
        'Mails a new code to the subject of the challenge, who has to be the user of the token. It supersedes the code before. Within the cooldown there is no second mail, however often this is called. The request has no body; one that it has all the same is not read.',
      tags: ['Step-up'],
      security: [{ userToken: [] }],
      requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
      responses: {
        204: done('A code is on its way.'),
        ...refusals(
          INITIATE,
          [
            'bad-request',
            'challenge-not-found',
            'subject-mismatch',
            'user-unreachable',
            ...OVER,
            'unauthorized',
            'forbidden',
            'subject-locked',
            'issuance-too-soon',
            'issuances-spent',
            'fault',
            'unavailable',
          ],
          { givenStatuses: [400, 500] },
        ),
      },
    },
  },
  [VERIFY]: {
    post: {
      operationId: 'verifyEmail',
      summary: 'Verify with the mailed code',
      description:
        'Checks a code against the newest one that was mailed for the challenge. A wrong one costs one of the guesses of the challenge, over all its codes; the headers of the answer tell how many are left.',
      tags: ['Step-up'],
      security: [{ userToken: [] }],
      requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: Verification.meta({ id: 'Verification' }),
            examples: { typed: { value: { totp: '042917' } }, pasted: { value: { totp: ' 042 917' } } },
          },
        },
      },
      responses: {
        204: done('The code is right, and the challenge verified.'),
        ...refusals(
          VERIFY,
          [
            'bad-request',
            'challenge-not-found',
            'subject-mismatch',
            'invalid-otp',
            'unauthorized',
            'forbidden',
            'subject-locked',
            ...OVER,
            'body-too-large',
            'body-not-json',
            'fault',
            'unavailable',
          ],
          {
            givenStatuses: [400, 410, 500],
            fieldFault: { code: 'NOT_BLANK', message: 'must not be blank', field: 'totp' },
          },
        ),
      },
    },
  },
}
