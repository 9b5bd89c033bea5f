import { existsSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

/*
 * One process of the service, or the mail thread that it starts. Node's compile cache in `node_modules` spares the next start from
 * stripping types and compiling again, and from loading the code that does so. Without write access, the service starts without the
 * cache.
 */

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled/', import.meta.url)))

const program = isMainThread ? 'main' : 'mail-thread-program'
const sources = new URL(`../src/process/${program}.ts`, import.meta.url)
await import(
  existsSync(sources) ? sources.href : new URL(`../dist/process/${program}.js`, import.meta.url).href
)

// Flush now: Node would do so at a regular exit only, and a process may be killed.
flushCompileCache()
