import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * `npm run build` makes `dist` for the package of the service: Node runs no TypeScript under `node_modules`. It mirrors `src`, file by
 * file, so that a path from a module to what lies beside it, or to the root of the package, is right in both. The schema engine is
 * beside them. The kit is another package, see build-kit.ts.
 */

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const TSC = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))

rmSync(join(PROJECT, 'dist'), { recursive: true, force: true })
for (const folder of ['.', 'prisma/schema-engine']) {
  const project = join(folder, 'tsconfig.build.json')
  execFileSync(process.execPath, [TSC, '--project', project], { cwd: PROJECT, stdio: 'inherit' })
}
// What modules read beside themselves. The compiler brings only what they import.
cpSync(join(PROJECT, 'src'), join(PROJECT, 'dist'), {
  recursive: true,
  filter: (path) =>
    statSync(path).isDirectory() ||
    !(['.ts', '.mjml'].includes(extname(path)) || basename(path).startsWith('tsconfig.')),
})
