import { readFile } from 'node:fs/promises'
import { createDocument, type ZodOpenApiOverride } from 'zod-openapi'
import { challengePaths } from '../../src/adapters/http-koa/challenges/openapi.ts'
import { documentationPaths } from '../../src/adapters/http-koa/documentation/openapi.ts'
import {
  ChallengeError,
  ChallengeRequestError,
  TotpError,
  TotpRequestError,
  unmatched,
} from '../../src/adapters/http-koa/edge/errors.openapi.ts'
import { servicePaths } from '../../src/adapters/http-koa/service/openapi.ts'
import { totpEmailPaths } from '../../src/adapters/http-koa/totp-email/openapi.ts'
import { userPaths } from '../../src/adapters/http-koa/users/openapi.ts'
import { postmarkWebhookPaths } from '../../src/adapters/http-koa/webhooks/postmark/openapi.ts'
import { developmentPaths } from '../../src/development/openapi.ts'

const PACKAGE = new URL('../../package.json', import.meta.url)

/** Where the document is kept, to be served and to be read in reviews. */
export const DOCUMENT = new URL('../../src/adapters/http-koa/openapi.json', import.meta.url)

const DESCRIPTION = `
Countersign makes a user countersign a sensitive operation with a one-time code that is mailed to them, is bound to that very
operation, and counts once.

An operation service opens a challenge and hands its id and signature to the user's app. The app asks for a code
(\`initiateEmail\`) and brings the one that the user has read (\`verifyEmail\`). The operation service then consumes the approval,
once (\`consumeChallenge\`).

**Errors** have one form on every path: a code for programs, a message for people, the id of the request, and the fields that are at fault.
An answer that is not described here is a defect.

**Paths** are case-sensitive and end without a slash. Whatever can be read with GET answers HEAD as well, without a body.

**Our choices.** The two step-up operations speak a contract that was published before this service. It names codes and statuses, but not
which goes with which. What we chose there is marked with \`x-countersign-choice\`; so are the answers where there is no operation ours.

**No operation at all.** \`x-countersign-unmatched\` has the answers to requests that come to no operation: an unknown path, a method that a
path does not know, and what is no HTTP that the server can read.

Metrics are on a port of their own and not part of this API.
`.trim()

/** The document as the schemas and the table of outcomes make it, as the text that is kept. */
export async function apiDocument(): Promise<string> {
  const { version } = JSON.parse(await readFile(PACKAGE, 'utf8'))
  const document = createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Countersign',
        version,
        summary: 'A user’s countersignature on a sensitive operation',
        description: DESCRIPTION,
      },
      servers: [{ url: '/', description: 'Wherever this document comes from.' }],
      tags: [
        { name: 'Step-up', description: 'What the user’s app calls.' },
        { name: 'Challenges', description: 'What an operation service calls.' },
        { name: 'Users', description: 'What a service calls that knows where the users’ mail goes.' },
        { name: 'Mail reports', description: 'What a mail system calls.' },
        { name: 'Service', description: 'What those call who run the service or check its signatures.' },
        { name: 'Documentation', description: 'This document.' },
        { name: 'Development', description: 'Stand-ins that do not exist in production.' },
      ],
      paths: {
        ...totpEmailPaths,
        ...challengePaths,
        ...userPaths,
        ...postmarkWebhookPaths,
        ...servicePaths,
        ...documentationPaths,
        ...developmentPaths,
      },
      components: {
        schemas: { TotpError, TotpRequestError, ChallengeError, ChallengeRequestError },
        securitySchemes: {
          userToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of a user: its `sub` is the user’s id.',
          },
          serviceToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description:
              'An access token of a service (client credentials): `client_id` or `azp` is the client, `scope` its rights. Each operation names the scope that it asks for.',
          },
          mailSystem: {
            type: 'http',
            scheme: 'basic',
            description: 'The user and password that the mail system was given for its reports.',
          },
        },
      },
      'x-countersign-unmatched': unmatched,
    },
    { override: asSent, allowEmptySchema: { date: { output: true } } },
  )
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Routes build bodies with dates, which JSON writes as RFC 3339 has them; and a whole number without a bound of its own has none. */
const asSent: ZodOpenApiOverride = ({ zodSchema, jsonSchema }) => {
  if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
