import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { unseenAnswers } from './unseen-answers.ts'

test('an answer that no test has noted is unseen, whichever process noted the others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-answers-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const everything = await unseenAnswers(folder)
  const unseen = 'initiateEmail 429 urn:plmr:mfa-totp:api:BAD_REQUEST'
  const [first, second, ...others] = everything.filter((answer) => answer !== unseen)

  await writeFile(join(folder, '1-0'), `${first}\n${second}\n`)
  await writeFile(join(folder, '2-0'), `${others.join('\n')}\n`)

  t.true(everything.includes(unseen))
  t.deepEqual(await unseenAnswers(folder), [unseen])
})
