import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'
import Router from '@koa/router'

/** Of the sources or of what the package has in their place, whichever this file is part of. */
const ROOT = new URL('../../src/', import.meta.url)
const SCRIPT = extname(import.meta.filename)
/** What a page may load, so that an element that slipped into one could do nothing. */
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
/** The pages, and what they load: both kits of files as they lie beside each other, so that their imports are right as they are. */
export function pageFiles() {
  const router = new Router({ sensitive: true, strict: true })
  for (const [path, page] of [
    ['/', 'stage.html'],
    ['/bank', 'bank.html'],
  ]) {
    router.get(path, async (ctx) => {
      const html = await readFile(new URL(`demo-bank/browser/${page}`, ROOT), 'utf8')
      ctx.set('Content-Security-Policy', POLICY)
      ctx.type = 'html'
      ctx.body = html.replaceAll('{{script}}', SCRIPT)
    })
  }
  router.get('/bank/files/:part/browser/:file', async (ctx) => {
    ctx.state.routine = true
    const { part, file } = ctx.params
    const [, name, extension] = /^([a-z-]+)(\.css|\.[jt]s)$/.exec(file) ?? []
    const content =
      /^(?:kit|demo-bank)$/.test(part) && name
        ? await readIfThere(new URL(`${part}/browser/${name}${extension}`, ROOT))
        : undefined
    if (content === undefined) {
      ctx.status = 404
      return
    }
    ctx.type = extension === '.css' ? 'text/css' : 'text/javascript'
    ctx.body = extension === '.ts' ? scriptOf(content) : content
  })
  return router
}
async function readIfThere(file) {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}
let hasWarned = false
/** Types are stripped as Node itself does it, which it calls an experiment, once: not news for whoever looks at a bank. */
function scriptOf(source) {
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
