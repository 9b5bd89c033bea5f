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

/** The file of the document. The service serves it, and reviews show its changes. */
export const DOCUMENT = new URL('../../src/adapters/http-koa/openapi.json', import.meta.url)

const DESCRIPTION = `
Countersign makes a user confirm a sensitive operation with a one-time code. It mails the code to the user. The code confirms
that one operation, and it works once.

An operation service opens a challenge and passes its id and signature to the user's app. The app asks for a code
(\`initiateEmail\`) and sends the code that the user types (\`verifyEmail\`). The operation service then consumes the approval,
once (\`consumeChallenge\`).

**Errors** have one form on every path: a code for programs, a message for people, the id of the request, and the invalid fields.
An answer that this document does not describe is a defect.

**Paths** are case-sensitive and end without a slash. Every path that answers GET also answers HEAD, without a body.

**Our choices.** The two step-up operations follow a contract that was published before this service. It names codes and statuses,
but does not say which belong together. \`x-countersign-choice\` marks the combinations that we chose. All answers to requests
without an operation are our choice too.

**Requests without an operation.** \`x-countersign-unmatched\` has the answers to requests that match no operation: an unknown path,
a method that a path does not support, and requests that are not valid HTTP.

Metrics are on a port of their own and not part of this API.
`.trim()

/** Generates the text of the document from the schemas and the error table. */
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
      servers: [{ url: '/', description: 'The service that serves this document.' }],
      tags: [
        { name: 'Step-up', description: 'For the user’s app.' },
        { name: 'Challenges', description: 'For operation services.' },
        { name: 'Users', description: 'For the service that knows the users’ addresses.' },
        { name: 'Mail reports', description: 'For the mail system.' },
        { name: 'Service', description: 'For operators, and for programs that check signatures.' },
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
              'An access token of a service (client credentials): `client_id` or `azp` is the client, `scope` its rights. Each operation names the scope that it requires.',
          },
          mailSystem: {
            type: 'http',
            scheme: 'basic',
            description: 'The user and password that the operator gave the mail system for its reports.',
          },
        },
      },
      'x-countersign-unmatched': unmatched,
    },
    { override: asSent, allowEmptySchema: { date: { output: true } } },
  )
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Routes build bodies with dates, which JSON writes as in RFC 3339. Zod gives every integer a maximum: drop the default one. */
const asSent: ZodOpenApiOverride = ({ zodSchema, jsonSchema }) => {
  if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
