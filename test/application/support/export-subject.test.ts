import test from 'ava'
import { NOON } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

test('an export has what is kept about its user, when it was made, and nothing about others', async (t) => {
  const { open, exportSubject } = await scenario()
  const id = await open()
  await open('bob')

  const { subjectUserId, exportedAt, tables } = await exportSubject.execute('alice')

  t.is(subjectUserId, 'alice')
  t.deepEqual(exportedAt, NOON)
  t.like(tables.users, { 0: { userId: 'alice', email: 'alice@example.com' }, length: 1 })
  t.deepEqual(
    tables.challenges?.map((row) => row.id),
    [id],
  )
  t.false(JSON.stringify(tables).includes('bob'))
})
