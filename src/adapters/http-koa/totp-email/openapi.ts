import { z } from 'zod'
import type { ZodOpenApiPathsObject, ZodOpenApiResponseObject } from 'zod-openapi'
import { CHALLENGE_PATH } from '../challenges/challenge-id.openapi.ts'
import { INITIATE_ERRORS, VERIFY_ERRORS } from '../edge/error-table.ts'
import { errorResponses } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { TOTP_EMAIL } from '../paths.ts'
import { Verification } from './schema.ts'

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
      'The published contract has no body for success and names no status for it. We chose 204.',
  }
}

/** The operations that the user's app calls: section 1 of the contract. */
export const totpEmailPaths: ZodOpenApiPathsObject = {
  [`${TOTP_EMAIL}/{challengeId}:initiate`]: {
    post: {
      operationId: 'initiateEmail',
      summary: 'Ask for a code by mail',
      description:
        'Mails a new code to the subject of the challenge, who must be the user of the token. The new code replaces the one before. Within the cooldown no second mail is sent, however often this is called. The request needs no body; if it has one, it is not read.',
      tags: ['Step-up'],
      security: [{ userToken: [] }],
      requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
      responses: {
        204: done('A mail with a new code is on its way.'),
        ...errorResponses(
          INITIATE_ERRORS,
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
            'address-held',
            'fault',
            'unavailable',
          ],
          { givenStatuses: [400, 500] },
        ),
      },
    },
  },
  [`${TOTP_EMAIL}/{challengeId}:verify`]: {
    post: {
      operationId: 'verifyEmail',
      summary: 'Verify with the mailed code',
      description:
        'Checks a code against the newest one that was mailed for the challenge. A challenge allows a limited number of wrong codes, over all its mails. After a wrong code, the headers of the response say how many are left.',
      tags: ['Step-up'],
      security: [{ userToken: [] }],
      requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: Verification.meta({ id: 'Verification' }),
            examples: {
              typed: { value: { totp: '042917' } },
              pasted: { value: { totp: ' 042 917' } },
              typedInArabic: { value: { totp: '٠٤٢٩١٧' } },
            },
          },
        },
      },
      responses: {
        204: done('The code was right. The challenge is verified.'),
        ...errorResponses(
          VERIFY_ERRORS,
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
