import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { SERVICE_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import { createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import type { RouteContext } from '../edge/state.ts'
import { DOCS, OPENAPI } from '../paths.ts'
import { PAGE, PAGE_POLICY, SHOW_API } from './page.ts'

/** Generated from the schemas by `npm run openapi:build`. */
const DOCUMENT = new URL('../openapi.json', import.meta.url)

type Read = () => Promise<Buffer>

/** Everything that the page loads, by its name in the URL. Nothing else is served. */
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

/** The API's document and a page that shows it. Public in production too: both are the same in every installation. */
export function documentationRoutes(document: URL = DOCUMENT): EdgeRouter {
  const router = createRouter({ errors: SERVICE_ERRORS })

  router.get(OPENAPI, (ctx) => serve(ctx, 'application/json', () => readFile(document)))

  router.get(DOCS, async (ctx) => {
    ctx.set('Content-Security-Policy', PAGE_POLICY)
    await serve(ctx, 'text/html', async () => Buffer.from(PAGE))
  })

  router.get(pattern(`${DOCS}/{part}`), async (ctx) => {
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
 * Reads the file for each request: that is rare, and the file would only take up memory. The URLs have no version in
 * them, so a client with a copy must ask before it uses the copy. That costs a 304.
 */
async function serve(ctx: RouteContext, type: string, read: Read): Promise<void> {
  const body = await read()
  const tag = `"${createHash('sha256').update(body).digest('base64url')}"`
  ctx.set({ 'Cache-Control': 'no-cache', ETag: tag })
  // Not Koa's `fresh`: that sends the whole file if the client sends `Cache-Control: no-cache`, as `fetch` does with a tag.
  if (ctx.get('If-None-Match').includes(tag)) {
    ctx.status = 304
    return
  }
  ctx.body = body
  ctx.type = type
}
