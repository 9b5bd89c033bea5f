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
 * Reduces npm's bill of materials to the packages that production installs, and adds the licences of the lock file. npm's own
 * `--omit dev` also drops packages that both production and development need.
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

/** CycloneDX distinguishes one licence of the SPDX list, an expression of several, and any other name. */
function licenceOf(licence: string): object {
  if (/ OR | AND /.test(licence)) return { expression: licence }
  return { license: /^[A-Za-z0-9.+-]+$/.test(licence) ? { id: licence } : { name: licence } }
}
