import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { billOfMaterials } from './bill-of-materials.ts'
import { lockedPackages } from './licence-list.ts'

/* `npm run sbom` writes what production installs to `sbom.cdx.json`, as CycloneDX. */

const npms = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
  cwd: fileURLToPath(new URL('../../', import.meta.url)),
  encoding: 'utf8',
  maxBuffer: 64 * 2 ** 20,
})
const bill = billOfMaterials(JSON.parse(npms), lockedPackages())
writeFileSync(new URL('../../sbom.cdx.json', import.meta.url), `${JSON.stringify(bill, undefined, 2)}\n`)
