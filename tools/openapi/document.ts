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
import { serviceEventPaths } from '../../src/adapters/http-koa/service-events/openapi.ts'
import { totpEmailPaths } from '../../src/adapters/http-koa/totp-email/openapi.ts'
import { userPaths } from '../../src/adapters/http-koa/users/openapi.ts'
import { postmarkWebhookPaths } from '../../src/adapters/http-koa/webhooks/postmark/openapi.ts'
import { developmentPaths } from '../../src/development/openapi.ts'

const PACKAGE = new URL('../../package.json', import.meta.url)

/** The file of the document. The service serves it, and reviewers read it. */
export const DOCUMENT = new URL('../../src/adapters/http-koa/openapi.json', import.meta.url)

const DESCRIPTION = `
Countersign makes a user countersign a sensitive operation with a one-time code. The code is mailed to the user, is bound to
that one operation, and counts once.

An operation service opens a challenge and hands its id and signature to the user's app. The app asks for a code by mail
(\`initiateEmail\`) and sends the code that the user enters (\`verifyEmail\`). The operation service then consumes the
approval, once (\`consumeChallenge\`).

**Errors** have one form on every path: a code for programs, a message for people, the id of the request, and the fields that
are at fault. An answer that is not described here is a defect.

**Paths** are case-sensitive and end without a slash. The colon before a verb is sent as it is: with \`%3A\` there is no such
resource. Challenge ids are read in either case. Every path that supports GET supports HEAD too, without a body.

**Request bodies** are JSON in UTF-8, not compressed, of at most 16 KiB; mail reports may have 64 KiB. Unknown members are an
error, except in mail reports. A member that appears twice is an error everywhere.

**Our choices.** The two step-up operations follow a contract that was published before this service. It names codes and
statuses, but not which code goes with which status. \`x-countersign-choice\` marks what we chose there.

**No operation.** \`x-countersign-unmatched\` has the answers to requests that reach no operation: an unknown path, a method
that the path does not support, or bytes that are not valid HTTP. These answers are our choice too.

The metrics have a port of their own and are not part of this API.
`.trim()

/** The text of the document, made from the schemas and the error tables. */
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
      servers: [
        // Tools that import the document take the first one, and need a host.
        {
          url: 'http://127.0.0.1:3000',
          description: 'A service that `npm start` or `countersign serve` has started.',
        },
        { url: '/', description: 'The server that this document comes from.' },
      ],
      tags: [
        { name: 'Step-up', description: 'For the user’s app.' },
        { name: 'Challenges', description: 'For operation services.' },
        { name: 'Users', description: 'For the service that keeps the users’ e-mail addresses.' },
        { name: 'Service events', description: 'What happens to its challenges, for an operation service.' },
        { name: 'Support', description: 'For the support, which helps users who cannot go on.' },
        { name: 'Mail reports', description: 'For the mail system.' },
        { name: 'Service', description: 'For operators, and for those who check the service’s signatures.' },
        { name: 'Documentation', description: 'This document.' },
        { name: 'Development', description: 'Stand-ins that do not exist in production.' },
      ],
      paths: {
        ...totpEmailPaths,
        ...challengePaths,
        ...userPaths,
        ...serviceEventPaths,
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
            description:
              'An access token of a user. The id of the user is its `sub`, or the claim that `AUTH_PROVIDER` or `AUTH_USER_CLAIM` name.',
          },
          serviceToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description:
              'An access token of a service (client credentials). By RFC 9068 `client_id` is the client and `scope` lists its rights; `AUTH_PROVIDER` reads the claims of other providers. Each operation names the scope that it needs.',
          },
          mailSystem: {
            type: 'http',
            scheme: 'basic',
            description: 'The user and password that the mail system sends with its reports.',
          },
        },
      },
      'x-countersign-unmatched': unmatched,
    },
    { override: asSent, allowEmptySchema: { date: { output: true } } },
  )
  return `${JSON.stringify(document, undefined, 2).replaceAll(UNSEEN, escaped)}\n`
}

/** Patterns contain characters that no editor shows as they are. */
const UNSEEN = /[\x7f-\xa0\p{Cf}]|(?! )\p{Z}/gu

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Routes build bodies with dates, which JSON writes in the form of RFC 3339. zod's own bound of integers is left out. */
const asSent: ZodOpenApiOverride = ({ zodSchema, jsonSchema }) => {
  if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
