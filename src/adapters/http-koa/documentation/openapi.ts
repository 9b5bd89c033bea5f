import { z } from 'zod'
import type { ZodOpenApiPathsObject, ZodOpenApiResponseObject } from 'zod-openapi'
import { SERVICE_ERRORS } from '../edge/error-table.ts'
import { errorResponses } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { DOCS, OPENAPI } from '../paths.ts'

const REQUEST_HEADER = z.object({
  ...REQUEST_HEADERS,
  'If-None-Match': z
    .string()
    .optional()
    .meta({ param: { description: 'The `ETag` of the caller’s copy (RFC 9110 §13.1.2).' } }),
})

const KEPT_HEADERS = {
  ...ANSWER_HEADERS,
  'Cache-Control': z.literal('no-cache').meta({
    header: { description: 'May be stored, but the client must ask again before it uses the copy.' },
  }),
  ETag: z.string().meta({
    header: { description: 'Changes when the content changes.' },
    pattern: '^"[A-Za-z0-9_-]{43}"$',
  }),
  Vary: z.literal('Accept-Encoding').meta({
    header: { description: 'Each encoding is a representation with a tag of its own.' },
  }),
}

const SENT_HEADERS = {
  ...KEPT_HEADERS,
  'Content-Encoding': z
    .enum(['br', 'gzip'])
    .optional()
    .meta({ header: { description: 'The best encoding that `Accept-Encoding` accepts. Missing if none.' } }),
}

/**
 * With `DOCS=off` there is neither. Only so many of these answers are sent at the same time: a client that waits for too long is
 * asked to come back.
 */
const UNSENT = errorResponses(SERVICE_ERRORS, ['route-unknown', 'unavailable'])

const unchanged = (headers: z.ZodRawShape): ZodOpenApiResponseObject => ({
  description: 'The caller’s copy is up to date.',
  headers: z.object(headers),
})

/** The API's document and a page that shows it. */
export const documentationPaths: ZodOpenApiPathsObject = {
  [OPENAPI]: {
    get: {
      operationId: 'readApiDocument',
      summary: 'Read this document',
      description: 'The same for every caller, in production too. It names no installation.',
      tags: ['Documentation'],
      security: [],
      requestParams: { header: REQUEST_HEADER },
      responses: {
        200: {
          description: 'The OpenAPI document.',
          headers: z.object(SENT_HEADERS),
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['openapi', 'info', 'paths'],
                properties: {
                  openapi: { type: 'string' },
                  info: { type: 'object' },
                  paths: { type: 'object' },
                },
              },
            },
          },
        },
        304: unchanged(KEPT_HEADERS),
        ...errorResponses(SERVICE_ERRORS, ['route-unknown', 'fault', 'unavailable']),
      },
    },
  },
  [DOCS]: {
    get: {
      operationId: 'showApi',
      summary: 'Show this document as a page',
      description: 'For people. The page sends requests to the service that it comes from.',
      tags: ['Documentation'],
      security: [],
      requestParams: { header: REQUEST_HEADER },
      responses: {
        200: {
          description: 'A page that loads everything it needs from this service.',
          headers: z.object(SENT_HEADERS),
          content: { 'text/html': { schema: z.string() } },
        },
        304: unchanged(KEPT_HEADERS),
        ...UNSENT,
      },
    },
  },
  [`${DOCS}/{part}`]: {
    get: {
      operationId: 'readPartOfPage',
      summary: 'Load a part of that page',
      description: 'Only the page needs it: its script, its style and its icon.',
      tags: ['Documentation'],
      security: [],
      requestParams: {
        header: REQUEST_HEADER,
        path: z.object({
          part: z.enum(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'show-api.js']).meta({
            param: { description: 'The file name of the part.' },
          }),
        }),
      },
      responses: {
        200: {
          description: 'The content of the part.',
          headers: z.object(SENT_HEADERS),
          content: {
            'text/css': { schema: z.string() },
            'text/javascript': { schema: z.string() },
            'image/png': { schema: {} },
          },
        },
        304: unchanged(KEPT_HEADERS),
        ...UNSENT,
      },
    },
  },
}
