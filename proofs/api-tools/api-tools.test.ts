import { execFile, execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { createDataDir, type ServiceProcess, startProcess } from '../../test/journeys/service-process.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { journey } from './clients/journey.ts'
import { plainClient } from './clients/plain-fetch.ts'
import { installTools, runTool, TOOLS } from './installed-tools.ts'
import { type Collection, postmanJourney, REQUESTS } from './postman-journey.ts'
import { startPrism } from './prism.ts'

/*
 * The API's document, read by programs of others. docs/integration.md lists those that read it as it is, and what to do about
 * the others. The tests run one after the other: each tool keeps a core busy, and other proofs need the rest.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENT = join(ROOT, 'src/adapters/http-koa/openapi.json')
const GENERATED = join(TOOLS, 'generated')

/** What every client must see on its way. */
const WHOLE_JOURNEY = {
  putUser: 201,
  openChallenge: 201,
  initiateEmail: 204,
  'verifyEmail, wrong': 'urn:plmr:mfa-totp:api:INVALID_OTP',
  verifyEmail: 204,
  consumeChallenge: 200,
  'parts of the authorisation': 3,
  cancelChallenge: 204,
}

let service: ServiceProcess
let dataDir: Awaited<ReturnType<typeof createDataDir>>

test.before('the tools are installed, and a service runs', async (t) => {
  t.timeout(300_000)
  await mkdir(GENERATED, { recursive: true })
  const [{ url }] = await Promise.all([createTestDatabase(), installTools()])
  dataDir = await createDataDir()
  service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
})

test.after.always(async () => {
  await service?.end()
  await dataDir?.remove()
})

test.serial('Spectral finds nothing', async (t) => {
  t.timeout(120_000)

  const report = await runTool('@stoplight/spectral-cli/dist/index.js', [
    ...['lint', DOCUMENT, '--ruleset', join(ROOT, '.spectral.yaml')],
    ...['--fail-severity', 'hint', '--display-only-failures'],
  ])

  t.regex(report, /No results with a severity of 'hint' or higher found!/)
})

for (const [maker, generate] of [
  [
    'openapi-fetch',
    () =>
      runTool('openapi-typescript/bin/cli.js', [
        DOCUMENT,
        '-o',
        join(GENERATED, 'openapi-fetch/schema.d.ts'),
      ]),
  ],
  [
    'hey-api',
    () =>
      runTool('@hey-api/openapi-ts/bin/run.js', [
        ...['-i', DOCUMENT, '-o', join(GENERATED, 'hey-api'), '--no-log-file'],
        ...['-p', '@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk', 'zod'],
      ]),
  ],
  ['orval', () => runOrval({ target: 'orval/client.ts', client: 'fetch', baseUrl: service.url })],
] as const) {
  test.serial(`a client that ${maker} types compiles strictly, and goes the whole journey`, async (t) => {
    t.timeout(120_000)
    await generate()
    const compiled = join(GENERATED, 'compiled', maker)
    const project = join(GENERATED, `tsconfig.${maker}.json`)
    await writeFile(
      project,
      JSON.stringify({ extends: '../clients/tsconfig.json', files: [`../clients/${maker}.ts`] }),
    )

    await runTool('typescript/bin/tsc', ['--project', project, '--outDir', compiled])
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(compiled, 'clients', `${maker}.js`),
      service.url,
    ])

    t.deepEqual(JSON.parse(stdout), WHOLE_JOURNEY)
  })
}

test.serial('orval’s handlers for MSW answer with the examples of the document, if they may', async (t) => {
  t.timeout(120_000)

  await runOrval({
    target: 'orval-mocks/client.ts',
    client: 'fetch',
    mock: { generators: [{ type: 'msw', useExamples: true }] },
  })

  const handlers = await readFile(join(GENERATED, 'orval-mocks/client.msw.ts'), 'utf8')
  t.true(handlers.includes('0197a000-0000-7000-8000-0000000000c1'))
  // Its generator of texts misreads the anchors of a pattern.
  t.false(handlers.includes('fromRegExp'))
  t.regex(handlers, /:challengeId\\\\:verify/)
})

test.serial('Postman’s converter makes requests that newman sends on the whole journey', async (t) => {
  t.timeout(120_000)
  const [converted, clicked, sent] = ['converted', 'journey', 'sent'].map((name) =>
    join(GENERATED, `postman-${name}.json`),
  ) as [string, string, string]
  await runTool('openapi-to-postmanv2/bin/openapi2postmanv2.js', [
    ...['-s', DOCUMENT, '-o', converted, '-O', 'parametersResolution=Example,folderStrategy=Tags'],
  ])
  const collection = JSON.parse(await readFile(converted, 'utf8')) as Collection
  await writeFile(clicked, JSON.stringify(postmanJourney(collection)))

  await runTool('newman/bin/newman.js', [
    ...['run', clicked, '--env-var', `baseUrl=${service.url}`, '--delay-request', '50', '--color', 'off'],
    ...['--reporters', 'cli,json', '--reporter-json-export', sent],
  ])

  t.is(collection.variable.find(({ key }) => key === 'baseUrl')?.value, 'http://127.0.0.1:3000')
  const { run } = JSON.parse(await readFile(sent, 'utf8')) as {
    run: { executions: { item: { name: string } }[]; failures: unknown[] }
  }
  t.deepEqual(run.failures, [])
  t.deepEqual([...new Set(run.executions.map(({ item }) => item.name))], REQUESTS)
})

test.serial('Prism lets the whole journey pass, and stops what breaks the document', async (t) => {
  t.timeout(120_000)
  const prism = await startPrism(DOCUMENT, service.url)
  t.teardown(() => prism.stop())

  t.deepEqual(await journey(plainClient(prism.url)), WHOLE_JOURNEY)
  const token = await plainClient(service.url).issueToken({ client_id: 'crm', scope: 'mfa:users:write' })
  for (const [entry, expected] of [
    [{ email: 'bob@example.com', displayName: 'Bob \u{1f600}' }, 201],
    [{ email: 'bob@example.com', displayName: ' \u3000' }, 422],
    [{ email: `${'b'.repeat(65)}@example.com` }, 422],
  ] as const) {
    const { status } = await fetch(`${prism.url}/internal/v1/mfa/users/bob`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(entry),
    })
    t.is(status, expected, JSON.stringify(entry))
  }
})

test.serial('Prism stops an answer that its document does not have', async (t) => {
  t.timeout(120_000)
  const document = JSON.parse(await readFile(DOCUMENT, 'utf8'))
  document.paths['/healthz'].get.responses['200'].content['application/json'].schema.required = ['nothing']
  const spoiled = join(GENERATED, 'spoiled-openapi.json')
  await writeFile(spoiled, JSON.stringify(document))
  const prism = await startPrism(spoiled, service.url)
  t.teardown(() => prism.stop())

  const { status } = await fetch(`${prism.url}/healthz`)

  t.is(status, 500)
})

/** Texts that some pattern of the document takes, or nearly takes. None ends with a line feed: see the test in Python. */
const TEXTS = [
  ...[
    '',
    ' ',
    '\u00a0 \u3000',
    'a',
    ' a ',
    'ACME GmbH',
    'Alice Smith',
    'Łódź \u{1f600}',
    'a\u2028b',
    'a\u0085b',
    'a\0b',
  ],
  ...[
    '\u200b',
    '\u200b1',
    '١٢٣٤٥٦',
    '\u{1d7ce}',
    '\ufeff',
    'a\u00ad',
    'payments.initiate',
    'payments..x',
    'Payments',
  ],
  ...[
    'alice@example.com',
    'a..b@example.com',
    'alice@example',
    `${'a'.repeat(65)}@example.com`,
    'QK',
    'qk',
    'QKX',
  ],
  ...['0197a000-0000-7000-8000-0000000000c1', '0197A000-0000-7000-8000-0000000000C1', '0197a00000007000'],
  ...['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU', '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV'],
  ...['"totp";q=5', '"totp";r=4;t=900', 'Bearer', 'Bearer realm="a"', 'Bearers', `"${'A'.repeat(43)}"`],
  ...[
    'urn:plmr:mfa-totp:api:INVALID_OTP',
    'urn:plmr:mfa-challenge:api:BAD_REQUEST',
    '5d9c9d5e-6f1f',
    'a b',
    '\u007f',
  ],
]
/** More than a pattern would survive in Python whose time grows with the square of a length. */
const LONG_TEXTS = ['a', ' ', '.', 'a.', 'a-', 'A_', '0', '\u00a0'].flatMap((pump) =>
  ['\0', '@', '!', ''].map((tail) => `${pump.repeat(100_000 / pump.length)}${tail}`),
)

test.serial('RE2, the engine of Go, reads every pattern as ECMAScript does', async (t) => {
  const path = createRequire(join(TOOLS, 'package.json')).resolve('re2js')
  const { RE2JS } = await import(pathToFileURL(path).href)
  const patterns = await patternsOfTheDocument()

  for (const pattern of patterns) {
    const [ours, theirs] = [new RegExp(pattern, 'u'), RE2JS.compile(pattern)]
    for (const text of TEXTS)
      t.is(theirs.matcher(text).find(), ours.test(text), `${pattern} ${JSON.stringify(text)}`)
  }
})

/** Standing for `json-schema` and others, which search with `re`. There `$` also matches before a line feed at the end. */
const PYTHON = `
import json, re, sys
given = json.load(sys.stdin)
json.dump([[bool(re.search(pattern, text)) for text in given["texts"]] for pattern in given["patterns"]], sys.stdout)
`
const withPython = process.env.CI || hasPython() ? test.serial : test.serial.skip

withPython(
  'Python reads every pattern as ECMAScript does, and long texts keep it busy for no time',
  async (t) => {
    t.timeout(120_000)
    const patterns = await patternsOfTheDocument()
    const texts = [...TEXTS, ...LONG_TEXTS]

    const python = promisify(execFile)('python3', ['-W', 'error', '-c', PYTHON], {
      timeout: 60_000,
      maxBuffer: 2 ** 24,
    })
    python.child.stdin!.end(JSON.stringify({ patterns, texts }))
    const theirs = JSON.parse((await python).stdout) as boolean[][]

    for (const [index, pattern] of patterns.entries()) {
      const ours = new RegExp(pattern, 'u')
      t.deepEqual(
        texts.filter((text, at) => theirs[index]![at] !== ours.test(text)).map((text) => text.slice(0, 50)),
        [],
        pattern,
      )
    }
  },
)

/** orval takes most settings from a file alone. */
async function runOrval(output: { readonly target: string } & Record<string, unknown>): Promise<void> {
  const config = join(GENERATED, `${output.target.replaceAll('/', '-')}.config.mjs`)
  const settings = { countersign: { input: { target: DOCUMENT }, output } }
  await writeFile(config, `export default ${JSON.stringify(settings)}`)
  await runTool('orval/dist/bin/orval.mjs', ['--config', config])
}

async function patternsOfTheDocument(): Promise<readonly string[]> {
  const patterns = new Set<string>()
  JSON.parse(await readFile(DOCUMENT, 'utf8'), (name, value) => {
    if (name === 'pattern') patterns.add(value)
    return value
  })
  return [...patterns]
}

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'])
    return true
  } catch {
    return false
  }
}
