import { writeFileSync } from 'node:fs'
import { licencePage, lockedPackages, unaccepted } from './licence-list.ts'

/* `npm run licences` writes docs/licences.md, and fails on a licence that nobody has accepted. */

const packages = lockedPackages()
writeFileSync(new URL('../../docs/licences.md', import.meta.url), licencePage(packages))
for (const each of unaccepted(packages)) {
  console.error(`not accepted: ${each}`)
  process.exitCode = 1
}
