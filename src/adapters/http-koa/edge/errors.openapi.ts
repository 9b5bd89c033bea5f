import { z } from 'zod'
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi'
import type { BodyOf } from './body-of.ts'
import { type ErrorKey, type FieldFaultCode, type OutcomeTable, outcomesOf } from './error-table.ts'
import {
  Allow,
  ANSWER_HEADERS,
  RateLimit,
  RateLimitPolicy,
  RetryAfter,
  WwwAuthenticate,
} from './headers.openapi.ts'

/** The two families of codes, each with a path that is answered in it. */
const FAMILIES = {
  Totp: outcomesOf('/internal/v1/mfa/totp-email'),
  Challenge: outcomesOf('/internal/v1/mfa/challenges'),
}

function errorSchemas(name: keyof typeof FAMILIES) {
  const { family, fieldCodes } = FAMILIES[name]
  const FieldError = z
    .strictObject({
      code: z.string().meta({
        enum: [...new Set(Object.values(fieldCodes))].map((code) => `${family}:${code}`),
        description: 'What is wrong with the field.',
      }),
      message: z.string().meta({ description: 'The same for a person.' }),
      field: z.string().meta({
        description: 'Where in the body, or the name of a header.',
        examples: ['operation.summary[0].label'],
      }),
    })
    .meta({ id: `${name}FieldError` })
  const error = z.strictObject({
    code: z.string().meta({
      pattern: `^${family}:[A-Z_]+$`,
      description: 'What went wrong, for a program. Each answer lists its codes.',
      examples: [`${family}:BAD_REQUEST`],
    }),
    message: z.string().meta({ description: 'The same for a person. Its words may change.' }),
    requestId: z.string().meta({ description: 'The `X-Request-ID` of the answer.' }),
  })
  return {
    error: error.meta({ id: `${name}Error`, description: 'The body of an error.' }),
    requestError: error
      .extend({
        fieldErrors: z
          .array(FieldError)
          .optional()
          .meta({ minItems: 1, description: 'The fields that are at fault, if any is.' }),
      })
      .meta({
        id: `${name}RequestError`,
        description: 'The body of an error that may be about fields of the request.',
      }),
  }
}

export const { error: TotpError, requestError: TotpRequestError } = errorSchemas('Totp')
export const { error: ChallengeError, requestError: ChallengeRequestError } = errorSchemas('Challenge')

/** The body of every error, on every route. */
export type ErrorBody = BodyOf<typeof TotpRequestError>

/** What an outcome tells in headers. */
const HEADERS: Readonly<Partial<Record<ErrorKey, Readonly<Record<string, z.ZodType>>>>> = {
  unauthorized: { 'WWW-Authenticate': WwwAuthenticate },
  'subject-locked': { 'Retry-After': RetryAfter },
  'issuance-too-soon': { 'Retry-After': RetryAfter },
  'issuances-spent': { 'Retry-After': RetryAfter },
  unavailable: { 'Retry-After': RetryAfter },
  'method-unknown': { Allow },
  'invalid-otp': { 'RateLimit-Policy': RateLimitPolicy, RateLimit },
}

/** Outcomes that are answered alike wherever they come up: once in the document, and referred to. */
const SHARED: readonly ErrorKey[] = [
  'unauthorized',
  'forbidden',
  'route-unknown',
  'method-unknown',
  'body-too-large',
  'body-not-json',
  'fault',
  'unavailable',
]

/** Outcomes that can name fields, by their code in the tables. */
const FIELD_OUTCOMES: readonly ErrorKey[] = [
  'bad-request',
  'operation-malformed',
  'user-malformed',
  'email-address-malformed',
]

export interface RefusalDetails {
  /** A field that requests to this operation may have at fault; left out where there is no field to be at fault. */
  readonly fieldFault?: { readonly code: FieldFaultCode; readonly message: string; readonly field: string }
  /** The statuses that a contract published before us names for this operation; what it does not say is marked as our choice. */
  readonly givenStatuses?: readonly number[]
}

const shared = new Map<string, ZodOpenApiResponseObject>()

/**
 * The answers of the operation at `path` that are errors: for each of the outcomes that it can come to, its status and
 * code as the table of outcomes has them. What shares a status shares an answer.
 */
export function refusals(
  path: string,
  outcomes: readonly ErrorKey[],
  details: RefusalDetails = {},
): ZodOpenApiResponsesObject {
  const table = outcomesOf(path)
  const byStatus = Map.groupBy(outcomes, (outcome) => table.answers[outcome].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const [only] = group
      if (group.length > 1 || !SHARED.includes(only!)) return [status, refusal(table, group, details)]
      const id = `${audience(path)}${pascalCase(only!)}`
      const known = shared.get(id) ?? { id, ...refusal(table, group, details) }
      shared.set(id, known)
      return [status, known]
    }),
  )
}

function refusal(
  table: OutcomeTable,
  outcomes: readonly ErrorKey[],
  { fieldFault, givenStatuses }: RefusalDetails,
): ZodOpenApiResponseObject {
  const { status } = table.answers[outcomes[0]!]
  const name = table.family === FAMILIES.Totp.family ? 'Totp' : 'Challenge'
  const codes = new Set(outcomes.map((outcome) => table.answers[outcome].code))
  const fault = outcomes.some((outcome) => FIELD_OUTCOMES.includes(outcome)) ? fieldFault : undefined
  return {
    description: [...new Set(outcomes.map((outcome) => line(table, outcome)))].join('\n'),
    headers: z.object({ ...ANSWER_HEADERS, ...headersOf(outcomes) }),
    content: {
      'application/json': {
        schema: {
          allOf: [
            { $ref: `#/components/schemas/${name}${fault ? 'RequestError' : 'Error'}` },
            { properties: { code: { enum: [...codes].map((code) => `${table.family}:${code}`) } } },
          ],
        },
        examples: examplesOf(table, outcomes, fault),
      },
    },
    ...(givenStatuses && {
      'x-countersign-choice': givenStatuses.includes(status)
        ? 'The published contract names this status, and the codes; which code goes with which status is our choice.'
        : 'The published contract names the codes, but not this status: it is our choice.',
    }),
  }
}

function line({ answers }: OutcomeTable, outcome: ErrorKey): string {
  const { code, message } = answers[outcome]
  return `- \`${code}\`: ${message}`
}

/** A header is certain only if all the outcomes have it. */
function headersOf(outcomes: readonly ErrorKey[]): Record<string, z.ZodType> {
  const each = outcomes.map((outcome) => HEADERS[outcome] ?? {})
  return Object.fromEntries(
    each.flatMap(Object.entries).map(([name, schema]) => {
      const certain = each.every((headers) => name in headers)
      return [name, certain ? schema : schema.optional().meta(schema.meta() ?? {})]
    }),
  )
}

function examplesOf(table: OutcomeTable, outcomes: readonly ErrorKey[], fault: RefusalDetails['fieldFault']) {
  const example = (outcome: ErrorKey) => {
    const { code, message } = table.answers[outcome]
    return { code: `${table.family}:${code}`, message, requestId: '5d9c9d5e-6f1f-4c5b-9a57-1b2f0a3f6c1d' }
  }
  const plain = outcomes.map((outcome) => [outcome, { value: example(outcome) }])
  if (!fault) return Object.fromEntries(plain)

  const { code, message, field } = fault
  const fieldErrors = [{ code: `${table.family}:${table.fieldCodes[code]}`, message, field }]
  return {
    ...Object.fromEntries(plain),
    'field-at-fault': { value: { ...example('bad-request'), fieldErrors } },
  }
}

/** Whose answers they are: section 1 of the contract has its own, since its choices are marked. */
function audience(path: string): string {
  if (path.startsWith('/internal/v1/mfa/totp-email/')) return 'StepUp'
  if (path.startsWith('/internal/')) return 'Challenge'
  return path.startsWith('/webhooks/') ? 'Webhook' : 'Service'
}

function pascalCase(words: string): string {
  return words
    .split('-')
    .map((word) => `${word[0]!.toUpperCase()}${word.slice(1)}`)
    .join('')
}

const EVERY_ANSWER = {
  'X-Request-ID': { $ref: '#/components/headers/X-Request-ID' },
  'Cache-Control': { $ref: '#/components/headers/NoStore' },
  'Content-Security-Policy': { $ref: '#/components/headers/Content-Security-Policy' },
  'Referrer-Policy': { $ref: '#/components/headers/Referrer-Policy' },
  'X-Content-Type-Options': { $ref: '#/components/headers/X-Content-Type-Options' },
}

/** What is answered where a request comes to no operation, in either family, whichever is the nearer. */
export const unmatched = {
  404: unmatchedAnswer('route-unknown', EVERY_ANSWER),
  405: unmatchedAnswer('method-unknown', {
    ...EVERY_ANSWER,
    Allow: { description: Allow.meta()?.header?.description, required: true, schema: { type: 'string' } },
  }),
  400: unmatchedAnswer('bad-request', EVERY_ANSWER, 'What was sent is not HTTP.'),
  408: unmatchedAnswer('bad-request', EVERY_ANSWER, 'The request took too long to come.'),
  417: unmatchedAnswer('bad-request', EVERY_ANSWER, 'Nothing but `100-continue` is to be expected here.'),
  431: unmatchedAnswer('bad-request', EVERY_ANSWER, 'The headers are larger than 16 KiB.'),
}

function unmatchedAnswer(outcome: ErrorKey, headers: object, description?: string) {
  const tables = Object.values(FAMILIES)
  const [{ answers }] = tables as [OutcomeTable]
  return {
    description: description ?? answers[outcome].message,
    headers,
    content: {
      'application/json': {
        schema: {
          anyOf: Object.keys(FAMILIES).map((name) => ({ $ref: `#/components/schemas/${name}Error` })),
          properties: { code: { enum: tables.map(({ family }) => `${family}:${answers[outcome].code}`) } },
        },
      },
    },
  }
}
