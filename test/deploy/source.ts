import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** All that the service is written in. */
export function sourceOfTheService(): string {
  const cwd = fileURLToPath(new URL('../../src/', import.meta.url))
  return globSync('**/*.ts', { cwd, exclude: ['**/generated/**'] })
    .map((path) => readFileSync(`${cwd}${path}`, 'utf8'))
    .join('\n')
}
