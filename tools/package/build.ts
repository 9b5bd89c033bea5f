import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * `npm run build` makes `dist` for the package of the service, because Node runs no TypeScript under `node_modules`. `dist` mirrors
 * `src`, so that relative paths to neighbouring files and to the root of the package are valid in both. It also contains the schema
 * engine. build-kit.ts builds the kit, which is another package.
 */

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const TSC = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))

rmSync(join(PROJECT, 'dist'), { recursive: true, force: true })
for (const folder of ['.', 'prisma/schema-engine']) {
  const project = join(folder, 'tsconfig.build.json')
  execFileSync(process.execPath, [TSC, '--project', project], { cwd: PROJECT, stdio: 'inherit' })
}
// Copies the files that modules read. The compiler copies only what they import.
cpSync(join(PROJECT, 'src'), join(PROJECT, 'dist'), {
  recursive: true,
  filter: (path) =>
    statSync(path).isDirectory() ||
    !(['.ts', '.mjml'].includes(extname(path)) || basename(path).startsWith('tsconfig.')),
})
