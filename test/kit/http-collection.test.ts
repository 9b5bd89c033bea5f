import { readFile } from 'node:fs/promises'
import test from 'ava'
import { codeIn, mailsTo } from '../journeys/client.ts'
import { createDataDir, startProcess } from '../journeys/service-process.ts'
import { ApiDocument } from '../support/api-document.ts'
import { createTestDatabase } from '../support/database.ts'
import { ask } from '../support/http-call.ts'
import { collectionIn, filledIn, valueIn } from './http-collection.ts'

const { variables, requests } = collectionIn(
  await readFile(new URL('../../docs/countersign.http', import.meta.url), 'utf8'),
)
/** Where a page is for people, and where Postmark alone knocks. */
const NOT_SHOWN = ['readPartOfPage', 'reportMail', 'showApi']

test('sent from top to bottom, each request gets the answer that its title names', async (t) => {
  const dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  const service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
  t.teardown(async () => {
    await service.end()
    await dataDir.remove()
  })
  const answers = new Map<string, unknown>()
  let code = variables.code
  const lookUp = (placeholder: string) => {
    if (placeholder === 'host') return service.url
    if (placeholder === 'code') return code
    if (placeholder === '$timestamp') return String(Date.now())
    return variables[placeholder] ?? valueIn(answers, placeholder)
  }
  const seen = new Set<string>()
  const api = ApiDocument.read()

  for (const { title, name, method, url, headers, body, statuses } of requests) {
    // A person reads the mail before going on.
    if (name === 'mailbox') code = codeIn((await mailsTo(service.url, 'alice@example.com'))[0]!)
    const path = filledIn(url, lookUp).replace(service.url, '')
    const { status, text } = await ask(service.url, method, path, {
      headers: Object.fromEntries(
        Object.entries(headers).map(([field, value]) => [field, filledIn(value, lookUp)]),
      ),
      ...(body === undefined ? {} : { body: filledIn(body, lookUp) }),
    })

    t.not(statuses.length, 0, title)
    t.true(statuses.includes(status), `${title}: ${status} ${text}`)
    if (name) answers.set(name, JSON.parse(text))
    seen.add(api.operationOf({ method, path })?.operationId ?? path)
  }

  const operations = Object.values(api.document.paths).flatMap((methods) => Object.values(methods))
  t.deepEqual(
    operations
      .map(({ operationId }) => operationId)
      .filter((id) => !seen.has(id))
      .toSorted(),
    NOT_SHOWN,
  )
})

test('a placeholder that stands for nothing is told by name', (t) => {
  t.throws(
    () => filledIn('{{opened.response.body.none}}', (name) => valueIn(new Map([['opened', {}]]), name)),
    {
      message: 'nothing is known of {{opened.response.body.none}}',
    },
  )
})
