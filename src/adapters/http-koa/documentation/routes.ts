import { readFile } from 'node:fs/promises'
import { RETRY_AFTER_OUTAGE } from '../edge/error-body.ts'
import { SERVICE_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import { createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import type { RouteContext } from '../edge/state.ts'
import { DOCS, OPENAPI } from '../paths.ts'
import { Asset, ENCODINGS, type Encoding } from './asset.ts'
import { PAGE, PAGE_POLICY, SHOW_API } from './page.ts'
import { Sends } from './sends.ts'

/** Generated from the schemas by `npm run openapi:build`. */
const DOCUMENT = new URL('../openapi.json', import.meta.url)

/** Everything that the page loads, by its name in the URL. Nothing else is served. */
const PARTS: Readonly<Record<string, { readonly type: string; readonly read: () => Promise<Buffer> }>> = {
  'swagger-ui.css': {
    type: 'text/css',
    read: () => fromViewer(import.meta.resolve('swagger-ui-dist/swagger-ui.css')),
  },
  'swagger-ui-bundle.js': {
    type: 'text/javascript',
    read: () => fromViewer(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
  },
  'favicon-32x32.png': {
    type: 'image/png',
    read: () => fromViewer(import.meta.resolve('swagger-ui-dist/favicon-32x32.png')),
  },
  'show-api.js': { type: 'text/javascript', read: async () => Buffer.from(SHOW_API) },
}

/** The API's document and a page that shows it. Public in production too: both are the same in every installation. */
export function documentationRoutes(document: URL = DOCUMENT, sends = new Sends()): EdgeRouter {
  const router = createRouter({ errors: SERVICE_ERRORS })
  const description = new Asset(() => readFile(document))
  const page = new Asset(async () => Buffer.from(PAGE))
  const parts = new Map(
    Object.entries(PARTS).map(([name, { type, read }]) => [name, { type, asset: new Asset(read) }]),
  )

  router.get(OPENAPI, (ctx) => serve(ctx, 'application/json', description, sends))

  router.get(DOCS, async (ctx) => {
    ctx.set('Content-Security-Policy', PAGE_POLICY)
    await serve(ctx, 'text/html', page, sends)
  })

  router.get(pattern(`${DOCS}/{part}`), async (ctx) => {
    const part = parts.get(ctx.params.part!)
    if (!part) throw new HttpError('route-unknown')
    await serve(ctx, part.type, part.asset, sends)
  })

  return router
}

function fromViewer(url: string): Promise<Buffer> {
  return readFile(new URL(url))
}

/** The URLs have no version in them, so a client with a copy must ask before it uses the copy. That costs a 304. */
async function serve(ctx: RouteContext, type: string, asset: Asset, sends: Sends): Promise<void> {
  const encoding = encodingFor(ctx)
  const { body, tag } = await asset.as(encoding)
  // Not Koa's `fresh`: that sends the whole file if the client sends `Cache-Control: no-cache`, as `fetch` does with a tag.
  const isUnchanged = ctx.get('If-None-Match').includes(tag)
  if (!isUnchanged && ctx.method !== 'HEAD' && !(await sends.begin(ctx.res))) {
    throw new HttpError('unavailable', { headers: RETRY_AFTER_OUTAGE })
  }
  ctx.vary('Accept-Encoding')
  ctx.set({ 'Cache-Control': 'no-cache', ETag: tag })
  if (isUnchanged) {
    ctx.status = 304
    return
  }
  if (encoding !== 'identity') ctx.set('Content-Encoding', encoding)
  ctx.body = body
  ctx.type = type
}

/** A client that accepts nothing of what we have gets the asset as it is, which every client can read. */
function encodingFor(ctx: RouteContext): Encoding {
  return (ctx.acceptsEncodings(...ENCODINGS) as Encoding | false) || 'identity'
}
