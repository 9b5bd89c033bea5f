import { readFileSync } from 'node:fs'

/** One entry of `packages` in npm's lock file. */
export interface LockedPackage {
  readonly version: string
  readonly license?: string
  readonly dev?: boolean
  /** A package for development that is also an optional peer of a production package. Production does not install it. */
  readonly devOptional?: boolean
  readonly optional?: boolean
  /** A workspace of this project, not a package of somebody else. */
  readonly link?: boolean
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
}

const LOCK = new URL('../../package-lock.json', import.meta.url)
/** Its packages are for a proof alone, and `npm ci` in the project does not install them. */
export const LOCK_OF_API_TOOLS = new URL('../../proofs/api-tools/package-lock.json', import.meta.url)

/** The packages in a lock file, without this project and its workspaces, by their path in the project. */
export function lockedPackages(lock: URL = LOCK): ReadonlyMap<string, LockedPackage> {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, LockedPackage> }
  return new Map(
    Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link),
  )
}

/** Whether only development needs the package. */
export function isDevelopment({ dev, devOptional }: LockedPackage): boolean {
  return dev === true || devOptional === true
}

export function nameAt(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** Permissive licences: they only require to keep their notice, which an installation by npm does. */
const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MIT OR Apache-2.0',
  'Unlicense',
]
/** The other accepted licences, each for one package and with a reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  '@expo-google-fonts/open-sans: MIT AND OFL-1.1': 'a font, unchanged, in the tests and pictures alone',
  '@visx/vendor: MIT and ISC': 'both are permissive',
  '@zone-eu/mailsplit: (MIT OR EUPL-1.1+)': 'taken under MIT; reads mails in the tests',
  'argparse: PSF-2.0': 'permissive; a tool of development',
  'argparse: Python-2.0': 'permissive; a tool of development',
  'axe-core: MPL-2.0': 'unchanged, in the tests alone',
  'caniuse-lite: CC-BY-4.0': 'data of a tool of development',
  'compute-gcd: none': 'MIT by its file LICENSE; a tool of a proof',
  'compute-lcm: none': 'MIT by its file LICENSE; a tool of a proof',
  'dejavu-fonts-ttf: SEE LICENSE IN README.md AND LICENSE':
    'that of Bitstream Vera, permissive; a font, unchanged, in the tests and pictures alone',
  'elkjs: EPL-2.0': 'unchanged, of a page of the Prisma CLI that the service never loads',
  'httpntlm: none': 'MIT by its file LICENSE; a tool of a proof',
  'json-schema: (AFL-2.1 OR BSD-3-Clause)': 'taken under BSD-3-Clause; a tool of a proof',
  'node-forge: (BSD-3-Clause OR GPL-2.0)': 'taken under BSD-3-Clause; a tool of a proof',
  'reserved: none': 'MIT by its file LICENSE-MIT; a tool of a proof',
  'slick: MIT (http://mootools.net/license.txt)': 'MIT, spelt otherwise',
  'stack-trace: none': 'MIT by its file License; a tool of a proof',
  'stream-length: WTFPL': 'permissive; a tool of a proof',
  'type-fest: (MIT OR CC0-1.0)': 'taken under MIT',
  'validate.io-function: none': 'MIT by its file LICENSE; a tool of a proof',
  'validate.io-integer-array: none': 'MIT by its file LICENSE; a tool of a proof',
  'validate.io-integer: none': 'MIT by its file LICENSE; a tool of a proof',
  'validate.io-number: none': 'MIT by its file LICENSE; a tool of a proof',
}

/** The packages whose licence nobody has accepted. */
export function unaccepted(packages: ReadonlyMap<string, LockedPackage>): readonly string[] {
  return [...packages]
    .filter(([, { license = '' }]) => !PERMISSIVE.includes(license))
    .map(([path, { license = 'none' }]) => `${nameAt(path)}: ${license}`)
    .filter((each) => !(each in EXCEPTIONS))
}

/** docs/licences.md. */
export function licencePage(
  packages: ReadonlyMap<string, LockedPackage>,
  apiTools: ReadonlyMap<string, LockedPackage>,
): string {
  return `# Licences

All packages in \`package-lock.json\` and in \`proofs/api-tools/package-lock.json\`, by the licence
that each declares. \`npm run licences\` writes this page. A test fails if the page is out of date,
or if nobody has accepted a licence. Permissive licences only require to keep their notice, which an
installation by npm does. Each of the others has a reason.

## Accepted with a reason

${Object.entries(EXCEPTIONS)
  .map(([each, reason]) => `- ${each}: ${reason}`)
  .join('\n')}

## In production

${table(packages, (each) => !isDevelopment(each))}

## In development alone

${table(packages, isDevelopment)}

## In the proof with the tools that read the API's document

${table(apiTools, () => true)}
`
}

function table(
  packages: ReadonlyMap<string, LockedPackage>,
  isMeant: (each: LockedPackage) => boolean,
): string {
  const byLicence = Map.groupBy(
    [...packages].filter(([, each]) => isMeant(each)),
    ([, { license = 'none' }]) => license,
  )
  const rows = [...byLicence]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([licence, entries]) => {
      const names = [...new Set(entries.map(([path]) => nameAt(path)))].toSorted()
      return `| ${licence} | ${names.length} | ${names.join(', ')} |`
    })
  return ['| licence | packages | |', '|---|---|---|', ...rows].join('\n')
}
