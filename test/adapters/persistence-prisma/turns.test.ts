import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { Turns } from '../../../src/adapters/persistence-prisma/connection/turns.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'

const soon = () => wait(20)

test('changes about one subject run one after the other, in their order', async (t) => {
  const turns = new Turns()
  const seen: string[] = []
  const change = (name: string) => () => {
    seen.push(`${name} begins`)
    return soon().then(() => void seen.push(`${name} ends`))
  }

  await Promise.all([turns.take('alice', change('first')), turns.take('alice', change('second'))])

  t.deepEqual(seen, ['first begins', 'first ends', 'second begins', 'second ends'])
})

test('a subject rests between two changes, its callers do not wait for that, and others change meanwhile', async (t) => {
  const turns = new Turns()
  await turns.take('alice', soon)
  const endedAt = performance.now()

  let restedFor = 0
  const next = turns.take('alice', async () => {
    restedFor = performance.now() - endedAt
  })
  await turns.take('bob', async () => {})
  t.is(restedFor, 0, 'bob changed while alice rests')
  await next

  t.true(restedFor > 40)
})

test('a change that fails lets the next one begin', async (t) => {
  const turns = new Turns()
  const failed = turns.take('alice', () => Promise.reject(new Error('no')))
  const next = turns.take('alice', async () => 'done')

  await t.throwsAsync(failed, { message: 'no' })
  t.is(await next, 'done')
})

test('a change that waits for too long is not made', async (t) => {
  const turns = new Turns(0)
  let made = false
  const first = turns.take('alice', soon)
  const late = turns.take('alice', async () => {
    made = true
  })

  await first.catch(() => {})
  await t.throwsAsync(late, { instanceOf: StorageUnavailable })
  t.false(made)
})
