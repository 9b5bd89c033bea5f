import { z } from 'zod'
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi'
import type { BodyOf } from './body-of.ts'
import {
  type ErrorKey,
  type ErrorTable,
  type FieldFaultCode,
  INITIATE_ERRORS,
  OPERATION_SERVICE_ERRORS,
  SERVICE_ERRORS,
  VERIFY_ERRORS,
  WEBHOOK_ERRORS,
} from './error-table.ts'
import {
  Allow,
  ANSWER_HEADERS,
  RateLimit,
  RateLimitPolicy,
  RetryAfter,
  WwwAuthenticate,
} from './headers.openapi.ts'

/** The two families of codes, each with a table that uses it. */
const FAMILIES = {
  Totp: INITIATE_ERRORS,
  Challenge: OPERATION_SERVICE_ERRORS,
}

/** The first part of the name of a response that several operations share. */
const SHARED_BY = new Map([
  [INITIATE_ERRORS, 'StepUp'],
  [VERIFY_ERRORS, 'StepUp'],
  [OPERATION_SERVICE_ERRORS, 'Challenge'],
  [WEBHOOK_ERRORS, 'Webhook'],
  [SERVICE_ERRORS, 'Service'],
])

function errorSchemas(name: keyof typeof FAMILIES) {
  const { family, fieldCodes } = FAMILIES[name]
  const FieldError = z
    .strictObject({
      code: z.string().meta({
        enum: [...new Set(Object.values(fieldCodes))].map((code) => `${family}:${code}`),
        description: 'What is wrong with the field, for programs.',
      }),
      message: z.string().meta({ description: 'What is wrong with the field, for people.' }),
      field: z.string().meta({
        description:
          'The path of the field in the body, or the name of a header or of a parameter in the query.',
        examples: ['operation.summary[0].label'],
      }),
    })
    .meta({ id: `${name}FieldError` })
  const error = z.strictObject({
    code: z.string().meta({
      pattern: `^${family}:[A-Z_]+$`,
      description: 'What went wrong, for programs. Each response lists its codes.',
      examples: [`${family}:BAD_REQUEST`],
    }),
    message: z.string().meta({ description: 'What went wrong, for people. The wording may change.' }),
    requestId: z.string().meta({ description: 'The `X-Request-ID` of the response.' }),
  })
  return {
    error: error.meta({ id: `${name}Error`, description: 'The body of an error.' }),
    requestError: error
      .extend({
        fieldErrors: z
          .array(FieldError)
          .optional()
          .meta({ minItems: 1, description: 'The fields that are at fault, if any are.' }),
      })
      .meta({
        id: `${name}RequestError`,
        description: 'The body of an error that may name fields of the request.',
      }),
  }
}

export const { error: TotpError, requestError: TotpRequestError } = errorSchemas('Totp')
export const { error: ChallengeError, requestError: ChallengeRequestError } = errorSchemas('Challenge')

/** The body of every error, on every route. */
export type ErrorBody = BodyOf<typeof TotpRequestError>

/** The headers that an error has. */
const HEADERS: Readonly<Partial<Record<ErrorKey, Readonly<Record<string, z.ZodType>>>>> = {
  unauthorized: { 'WWW-Authenticate': WwwAuthenticate },
  'subject-locked': { 'Retry-After': RetryAfter },
  'issuance-too-soon': { 'Retry-After': RetryAfter },
  'issuances-spent': { 'Retry-After': RetryAfter },
  'live-challenges-spent': { 'Retry-After': RetryAfter },
  unavailable: { 'Retry-After': RetryAfter },
  'method-unknown': { Allow },
  'invalid-otp': { 'RateLimit-Policy': RateLimitPolicy, RateLimit },
}

/** Errors with the same answer on every operation: written once in the document and referred to. */
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

/** Errors that can name fields. */
const ERRORS_WITH_FIELDS: readonly ErrorKey[] = [
  'bad-request',
  'operation-malformed',
  'user-malformed',
  'email-address-malformed',
  'webhook-malformed',
]

export interface ErrorDetails {
  /** A field that requests to this operation may have at fault. Undefined if no field can be at fault. */
  readonly fieldFault?: { readonly code: FieldFaultCode; readonly message: string; readonly field: string }
  /** The statuses that the published contract names for this operation. All others are marked as our choice. */
  readonly givenStatuses?: readonly number[]
}

const shared = new Map<string, ZodOpenApiResponseObject>()

/**
 * The error responses of an operation: for each error that it can answer, the status and code of its router's table.
 * Errors of one status share a response.
 */
export function errorResponses(
  table: ErrorTable,
  keys: readonly ErrorKey[],
  details: ErrorDetails = {},
): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(keys, (key) => table.answers[key].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const [only] = group
      if (group.length > 1 || !SHARED.includes(only!)) return [status, errorResponse(table, group, details)]
      const id = `${SHARED_BY.get(table)}${pascalCase(only!)}`
      const known = shared.get(id) ?? { id, ...errorResponse(table, group, details) }
      shared.set(id, known)
      return [status, known]
    }),
  )
}

function errorResponse(
  table: ErrorTable,
  keys: readonly ErrorKey[],
  { fieldFault, givenStatuses }: ErrorDetails,
): ZodOpenApiResponseObject {
  const { status } = table.answers[keys[0]!]
  const name = table.family === FAMILIES.Totp.family ? 'Totp' : 'Challenge'
  const codes = new Set(keys.map((key) => table.answers[key].code))
  const fault = keys.some((key) => ERRORS_WITH_FIELDS.includes(key)) ? fieldFault : undefined
  return {
    description: [...new Set(keys.map((key) => line(table, key)))].join('\n'),
    headers: z.object({ ...ANSWER_HEADERS, ...headersOf(keys) }),
    content: {
      'application/json': {
        schema: {
          allOf: [
            { $ref: `#/components/schemas/${name}${fault ? 'RequestError' : 'Error'}` },
            { properties: { code: { enum: [...codes].map((code) => `${table.family}:${code}`) } } },
          ],
        },
        examples: examplesOf(table, keys, fault),
      },
    },
    ...(givenStatuses && {
      'x-countersign-choice': givenStatuses.includes(status)
        ? 'The published contract names this status and the codes. We chose which code goes with which status.'
        : 'The published contract names the codes, but not this status. We chose it.',
    }),
  }
}

function line({ answers }: ErrorTable, key: ErrorKey): string {
  const { code, message } = answers[key]
  return `- \`${code}\`: ${message}`
}

/** A header is required only if all of these errors have it. */
function headersOf(keys: readonly ErrorKey[]): Record<string, z.ZodType> {
  const each = keys.map((key) => HEADERS[key] ?? {})
  return Object.fromEntries(
    each.flatMap(Object.entries).map(([name, schema]) => {
      const isRequired = each.every((headers) => name in headers)
      return [name, isRequired ? schema : schema.optional().meta(schema.meta() ?? {})]
    }),
  )
}

function examplesOf(table: ErrorTable, keys: readonly ErrorKey[], fault: ErrorDetails['fieldFault']) {
  const example = (key: ErrorKey) => {
    const { code, message } = table.answers[key]
    return { code: `${table.family}:${code}`, message, requestId: '5d9c9d5e-6f1f-4c5b-9a57-1b2f0a3f6c1d' }
  }
  const plain = keys.map((key) => [key, { value: example(key) }])
  if (!fault) return Object.fromEntries(plain)

  const { code, message, field } = fault
  const fieldErrors = [{ code: `${table.family}:${table.fieldCodes[code]}`, message, field }]
  return {
    ...Object.fromEntries(plain),
    'field-at-fault': { value: { ...example('bad-request'), fieldErrors } },
  }
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

/** The answers to requests that reach no operation, in the family of the nearest path. */
export const unmatched = {
  404: unmatchedAnswer(
    'route-unknown',
    EVERY_ANSWER,
    'There is no such resource. If the colon of a path was sent as `%3A`, the message says so.',
  ),
  405: unmatchedAnswer('method-unknown', {
    ...EVERY_ANSWER,
    Allow: { description: Allow.meta()?.header?.description, required: true, schema: { type: 'string' } },
  }),
  400: unmatchedAnswer('bad-request', EVERY_ANSWER, 'What was sent is not valid HTTP.'),
  408: unmatchedAnswer('bad-request', EVERY_ANSWER, 'The request took too long to arrive.'),
  417: unmatchedAnswer('bad-request', EVERY_ANSWER, '`Expect` may only be `100-continue`.'),
  431: unmatchedAnswer('bad-request', EVERY_ANSWER, 'The headers are larger than 16 KiB.'),
}

function unmatchedAnswer(key: ErrorKey, headers: object, description?: string) {
  const tables = Object.values(FAMILIES)
  const [{ answers }] = tables as [ErrorTable]
  return {
    description: description ?? answers[key].message,
    headers,
    content: {
      'application/json': {
        schema: {
          anyOf: Object.keys(FAMILIES).map((name) => ({ $ref: `#/components/schemas/${name}Error` })),
          properties: { code: { enum: tables.map(({ family }) => `${family}:${answers[key].code}`) } },
        },
      },
    },
  }
}
