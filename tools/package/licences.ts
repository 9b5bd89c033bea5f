import { writeFileSync } from 'node:fs'
import { LOCK_OF_API_TOOLS, licencePage, lockedPackages, unaccepted } from './licence-list.ts'

/* `npm run licences` writes docs/licences.md, and fails on a licence that nobody has accepted. */

const packages = lockedPackages()
const apiTools = lockedPackages(LOCK_OF_API_TOOLS)
writeFileSync(new URL('../../docs/licences.md', import.meta.url), licencePage(packages, apiTools))
for (const each of [...unaccepted(packages), ...unaccepted(apiTools)]) {
  console.error(`not accepted: ${each}`)
  process.exitCode = 1
}
