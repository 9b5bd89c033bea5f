import { z } from 'zod'
import type { ZodOpenApiPathsObject, ZodOpenApiResponseObject } from 'zod-openapi'
import { refusals } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'

const REQUEST_HEADER = z.object({
  ...REQUEST_HEADERS,
  'If-None-Match': z
    .string()
    .optional()
    .meta({ param: { description: 'The tag of what the caller has (RFC 9110 §13.1.2).' } }),
})

const KEPT_HEADERS = {
  ...ANSWER_HEADERS,
  'Cache-Control': z.literal('no-cache').meta({
    header: { description: 'May be kept, and is asked for again before it is used.' },
  }),
  ETag: z.string().meta({
    header: { description: 'Changes with the content.' },
    pattern: '^"[A-Za-z0-9_-]{43}"$',
  }),
}

const unchanged = (headers: z.ZodRawShape): ZodOpenApiResponseObject => ({
  description: 'The caller has it as it is.',
  headers: z.object(headers),
})

/** The API's document, and a page that shows it. */
export const documentationPaths: ZodOpenApiPathsObject = {
  '/openapi.json': {
    get: {
      operationId: 'readApiDocument',
      summary: 'This document',
      tags: ['Documentation'],
      security: [],
      requestParams: { header: REQUEST_HEADER },
      responses: {
        200: {
          description: 'An OpenAPI document.',
          headers: z.object(KEPT_HEADERS),
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
        ...refusals('/openapi.json', ['fault']),
      },
    },
  },
  '/docs': {
    get: {
      operationId: 'showApi',
      summary: 'This document as a page',
      tags: ['Documentation'],
      security: [],
      requestParams: { header: REQUEST_HEADER },
      responses: {
        200: {
          description: 'A page that loads all it needs from here.',
          headers: z.object(KEPT_HEADERS),
          content: { 'text/html': { schema: z.string() } },
        },
        304: unchanged(KEPT_HEADERS),
      },
    },
  },
  '/docs/{part}': {
    get: {
      operationId: 'readPartOfPage',
      summary: 'What that page loads',
      tags: ['Documentation'],
      security: [],
      requestParams: {
        header: REQUEST_HEADER,
        path: z.object({
          part: z.enum(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'show-api.js']).meta({
            param: { description: 'The name of the part.' },
          }),
        }),
      },
      responses: {
        200: {
          description: 'The part.',
          headers: z.object(KEPT_HEADERS),
          content: {
            'text/css': { schema: z.string() },
            'text/javascript': { schema: z.string() },
            'image/png': { schema: {} },
          },
        },
        304: unchanged(KEPT_HEADERS),
        ...refusals('/docs/{part}', ['route-unknown']),
      },
    },
  },
}
