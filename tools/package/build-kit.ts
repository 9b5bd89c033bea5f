import { execFileSync } from 'node:child_process'
import { copyFileSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * `npm run build:kit` compiles the kit into `packages/kit/dist`, which its exports name: Node runs no TypeScript under
 * `node_modules`. It is incremental and removes no file that is in use, so it may run beside the tests.
 */

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const KIT = join(PROJECT, 'packages/kit')
const TSC = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))

const sources = globSync('**/*.ts', { cwd: join(KIT, 'src') }).map((path) => path.replace(/\.ts$/, ''))
for (const path of globSync('**/*.{js,d.ts}', { cwd: join(KIT, 'dist') })) {
  if (!sources.includes(path.replace(/(?:\.d\.ts|\.js)$/, ''))) rmSync(join(KIT, 'dist', path))
}
execFileSync(process.execPath, [TSC, '--build', KIT, join(KIT, 'src/browser')], { stdio: 'inherit' })
// A package needs its licence beside its manifest.
copyFileSync(join(PROJECT, 'LICENSE'), join(KIT, 'LICENSE'))
