import { isDevelopment, type LockedPackage, nameAt } from './licence-list.ts'

export interface Bill {
  readonly bomFormat: string
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

interface Component {
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
  readonly hashes?: readonly object[]
  readonly licenses?: readonly object[]
}

/**
 * Of what npm makes of the lock file, the part that production installs, with the licences that stand there as well. Npm's own
 * `--omit dev` also leaves out what both production and development need.
 */
export function billOfMaterials<Npms extends Bill>(
  bill: Npms,
  packages: ReadonlyMap<string, LockedPackage>,
): Npms {
  const installed = new Map(
    [...packages]
      .filter(([, each]) => !isDevelopment(each))
      .map(([path, { version, license }]) => [`${nameAt(path)}@${version}`, license]),
  )
  const components = bill.components.flatMap((each) => {
    const key = `${each.name}@${each.version}`
    if (!installed.has(key)) return []
    const licence = installed.get(key)
    return [licence === undefined ? each : { ...each, licenses: [licenceOf(licence)] }]
  })
  const leftOut = new Set(bill.components.map((each) => each['bom-ref']))
  for (const each of components) leftOut.delete(each['bom-ref'])
  const dependencies = bill.dependencies
    .filter(({ ref }) => !leftOut.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => !leftOut.has(each)) }))
  return { ...bill, components, dependencies }
}

/** CycloneDX tells one licence of the SPDX list from several that are joined, and both from a name of somebody's own. */
function licenceOf(licence: string): object {
  if (/ OR | AND /.test(licence)) return { expression: licence }
  return { license: /^[A-Za-z0-9.+-]+$/.test(licence) ? { id: licence } : { name: licence } }
}
