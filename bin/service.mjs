import { existsSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

/*
 * One process of the service. It keeps what Node makes of the sources beside the packages that they need, so that the next start
 * need not strip and compile them again, nor hold in memory what does that. Where nothing may be written, it starts without.
 */

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled/', import.meta.url)))

const sources = new URL('../src/process/main.ts', import.meta.url)
await import(existsSync(sources) ? sources.href : new URL('../dist/process/main.js', import.meta.url).href)

// Now, and not at the end only: a process may be killed.
flushCompileCache()
