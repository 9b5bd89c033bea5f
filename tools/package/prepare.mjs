import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/*
 * What npm runs after each `npm ci` in a checkout. It is JavaScript, since a production installation may run it with a Node that
 * runs no TypeScript.
 *
 * With the development dependencies, it compiles the kit. Without them, it removes Prisma's query compilers for databases that
 * Countersign does not use, 55 MB that no option of npm leaves out.
 */

const MODULES = new URL('../../node_modules/', import.meta.url)
const NEEDED_TO_COMPILE = ['typescript', 'fastify', '@types/express', '@types/koa', '@types/node']
const OTHER_DATABASES = /^query_compiler_\w+\.(?:cockroachdb|mysql|sqlite|sqlserver)\./

const isInstalled = (name) => existsSync(new URL(name, MODULES))

if (NEEDED_TO_COMPILE.every(isInstalled)) {
  const build = fileURLToPath(new URL('build-kit.ts', import.meta.url))
  execFileSync(process.execPath, [build], { stdio: 'inherit' })
} else {
  const runtime = new URL('@prisma/client/runtime/', MODULES)
  for (const name of readdirSync(runtime)) {
    if (OTHER_DATABASES.test(name)) rmSync(new URL(name, runtime))
  }
}
