import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import Router from '@koa/router'
import type { Context } from 'koa'
import { HttpError } from '../edge/http-error.ts'
import { PAGE, PAGE_POLICY, SHOW_API } from './page.ts'

/** Generated from the schemas by `npm run openapi:build`. */
const DOCUMENT = new URL('../openapi.json', import.meta.url)

type Read = () => Promise<Buffer>

/** Everything that the page loads, by the name it is asked for. What is not here is not served. */
const PARTS: ReadonlyMap<string, { readonly type: string; readonly read: Read }> = new Map([
  [
    'swagger-ui.css',
    { type: 'text/css', read: () => fromViewer(import.meta.resolve('swagger-ui-dist/swagger-ui.css')) },
  ],
  [
    'swagger-ui-bundle.js',
    {
      type: 'text/javascript',
      read: () => fromViewer(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
    },
  ],
  [
    'favicon-32x32.png',
    { type: 'image/png', read: () => fromViewer(import.meta.resolve('swagger-ui-dist/favicon-32x32.png')) },
  ],
  ['show-api.js', { type: 'text/javascript', read: async () => Buffer.from(SHOW_API) }],
])

/** The API's document, and a page that shows it. Public, also in production: they hold nothing of an installation. */
export function documentationRoutes(document: URL = DOCUMENT): Router {
  const router = new Router({ sensitive: true, strict: true })

  router.get('/openapi.json', (ctx) => serve(ctx, 'application/json', () => readFile(document)))

  router.get('/docs', async (ctx) => {
    ctx.set('Content-Security-Policy', PAGE_POLICY)
    await serve(ctx, 'text/html', async () => Buffer.from(PAGE))
  })

  router.get('/docs/:part', async (ctx) => {
    const part = PARTS.get(ctx.params.part!)
    if (!part) throw new HttpError('route-unknown')
    await serve(ctx, part.type, part.read)
  })

  return router
}

function fromViewer(url: string): Promise<Buffer> {
  return readFile(new URL(url))
}

/**
 * Read anew each time: it is asked for rarely, and would only lie in memory. The addresses have no version in them, so whoever
 * keeps an answer asks again before using it, which costs a 304.
 */
async function serve(ctx: Context, type: string, read: Read): Promise<void> {
  const body = await read()
  const tag = `"${createHash('sha256').update(body).digest('base64url')}"`
  ctx.set({ 'Cache-Control': 'no-cache', ETag: tag })
  // Not Koa's `fresh`, which gives the whole to whoever forbids caches in between to answer, as `fetch` does with a tag.
  if (ctx.get('If-None-Match').includes(tag)) {
    ctx.status = 304
    return
  }
  ctx.body = body
  ctx.type = type
}
