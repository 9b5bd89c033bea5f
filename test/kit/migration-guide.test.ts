import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { codeIn, mailsTo, registerUser } from '../journeys/client.ts'
import { createDataDir, startProcess } from '../journeys/service-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { guideSteps, lineNotSeen } from './guide.ts'
import { saveFiles, startApp } from './guide-app.ts'

const page = await readFile(new URL('../../docs/migration.md', import.meta.url), 'utf8')
const steps = guideSteps(page)
const TRANSFER = { amount: 'EUR 1,250.00', to: 'ACME GmbH' }

/** What the route answers: what it made, or what it asks for. */
interface Answered {
  readonly code?: string
  readonly challengeId: string
  readonly signature: string
  readonly methods: readonly { readonly initiate: string; readonly verify: string }[]
}

/** The payments service of the page, a user of it, and the list of types that begin with Countersign. */
async function setUp(t: ExecutionContext) {
  const dataDir = await createDataDir()
  t.teardown(dataDir.remove)
  const { url: databaseUrl } = await createTestDatabase()
  const service = await startProcess({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir.path })
  t.teardown(() => service.end())
  const folder = join(dataDir.path, 'payments')
  await mkdir(folder)
  await saveFiles(steps, folder)
  const payments = await startApp(join(folder, 'payments.ts'), service.url)
  t.teardown(() => payments.end())
  const user = await registerUser(service.url)

  return {
    user,
    list: (text: string) => writeFile(join(folder, 'cut-over.json'), text),
    async transfer(headers: Readonly<Record<string, string>> = { 'x-step-up': 'countersign' }) {
      const response = await fetch(`${payments.url}/transfers`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'x-user': user.userId, ...headers },
        body: JSON.stringify(TRANSFER),
      })
      return { status: response.status, body: (await response.json()) as Answered }
    },
    oldCode: () => payments.lines.findLast((line) => line.startsWith('mailed to'))!.split(': ')[1]!,
    async countersign({ methods: [method] }: Answered) {
      const post = (path: string, init: RequestInit = {}) =>
        fetch(`${service.url}${path}`, {
          method: 'POST',
          ...init,
          headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/json' },
        })
      t.is((await post(method!.initiate)).status, 204)
      const [mail] = await mailsTo(service.url, user.email)
      const totp = codeIn(mail!)
      t.is((await post(method!.verify, { body: JSON.stringify({ totp }) })).status, 204)
    },
  }
}

test('what began the old way ends that way once its type has changed over, and the other way round', async (t) => {
  const { user, list, transfer, oldCode, countersign } = await setUp(t)
  const made = { status: 202, body: { ...TRANSFER, by: user.userId } }

  const before = await transfer()
  t.is(before.body.code, 'CODE_REQUIRED')
  const code = oldCode()

  await list('["payments.initiate"]')
  const required = await transfer()
  t.is(required.body.code, 'STEP_UP_REQUIRED')
  t.like(await transfer({ 'x-step-up': 'countersign', 'x-code': code }), made)

  await list('[]')
  await countersign(required.body)
  const proof = {
    'plmr-mfa-challenge-id': required.body.challengeId,
    'plmr-mfa-signature': required.body.signature,
  }
  t.like(await transfer(proof), made)
  t.is((await transfer()).body.code, 'CODE_REQUIRED')
})

test('an app that does not know the new answer, a type that is not listed, and a broken list begin the old way', async (t) => {
  const { list, transfer } = await setUp(t)

  await list('["payments.initiate"]')
  t.is((await transfer({})).body.code, 'CODE_REQUIRED')
  await list('["payees.add"]')
  t.is((await transfer()).body.code, 'CODE_REQUIRED')
  await list('["payments.initiate"')
  t.is((await transfer()).body.code, 'CODE_REQUIRED')
  await list('["payments.initiate"]')
  t.is((await transfer()).body.code, 'STEP_UP_REQUIRED')
})

test('the users in the file of the page get into the directory', async (t) => {
  const home = await createDataDir()
  t.teardown(home.remove)
  const { url } = await createTestDatabase()
  const file = join(home.path, 'users.csv')
  await writeFile(file, /```csv\n(.*?)```/s.exec(page)![1]!)
  const [step] = steps.filter(({ kind }) => kind === 'commands')
  const [command, ...args] = step!.kind === 'commands' ? step!.commands.trim().split(' ').slice(1) : []
  t.is(command, 'countersign')

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(new URL('../../src/command-line/cli.ts', import.meta.url)), ...args],
    { cwd: home.path, env: { PATH: process.env.PATH, DATABASE_URL: url } },
  )

  t.is(lineNotSeen(step!.kind === 'commands' ? step!.seen : [], stdout), undefined, stdout)
})

test('the checklist names rules and tests that are there, each test under its rule', async (t) => {
  const rules = await readFile(new URL('../../docs/security-tests.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| ☐ \| .* \| (?:([A-Z\d, ]+): )?`(.+)` \|$/gm)]

  t.is(rows.length, page.match(/☐/g)!.length)
  for (const [row, ids, path] of rows) {
    t.true(existsSync(new URL(`../../${path}`, import.meta.url)), row)
    if (!ids) continue
    const held = ids.split(', ').map((id) => rules.split('\n').find((line) => line.startsWith(`| ${id} |`)))
    t.true(held.every(Boolean), row)
    t.true(
      held.some((line) => line!.includes(path!)),
      row,
    )
  }
})
