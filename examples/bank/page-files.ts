import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import Router from '@koa/router'

/** The folders of the files: the bank's own, and those of the kit, as any integrator serves them. */
const FOLDERS: Readonly<Record<string, URL>> = {
  bank: new URL('browser/', import.meta.url),
  kit: new URL('./', import.meta.resolve('@countersign/kit/browser')),
}

/** What a page may load. An injected element could do nothing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
  "require-trusted-types-for 'script'",
].join('; ')

/** The pages, and the scripts and styles that they load. */
export function pageFiles(): Router {
  const router = new Router({ sensitive: true, strict: true })

  for (const [path, page] of [
    ['/', 'stage.html'],
    ['/bank', 'bank.html'],
  ] as const) {
    router.get(path, async (ctx) => {
      ctx.set('Content-Security-Policy', POLICY)
      ctx.type = 'html'
      ctx.body = await readFile(new URL(page, FOLDERS.bank), 'utf8')
    })
  }

  router.get('/bank/files/:part/browser/:file', async (ctx) => {
    ctx.state.polling = true
    const { part, file } = ctx.params as { part: string; file: string }
    const [, name, extension] = /^([a-z-]+)(\.css|\.[jt]s)$/.exec(file) ?? []
    const folder = Object.hasOwn(FOLDERS, part) ? FOLDERS[part] : undefined
    const content = folder && name ? await readIfThere(new URL(`${name}${extension}`, folder)) : undefined
    if (content === undefined) {
      ctx.status = 404
      return
    }
    ctx.type = extension === '.css' ? 'text/css' : 'text/javascript'
    ctx.body = extension === '.ts' ? scriptOf(content) : content
  })

  return router
}

async function readIfThere(file: URL): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}

let hasWarned = false

/** Strips types with Node's own function. Hides its warning about an experiment, which visitors of a bank do not need. */
function scriptOf(source: string): string {
  if (hasWarned) return stripTypeScriptTypes(source)
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
    hasWarned = true
  }
}
