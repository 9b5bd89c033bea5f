import test from 'ava'
import { EmailAddressMalformed } from '../../../src/domain/email-address.ts'
import { scenario } from '../scenario.ts'

const entry = { userId: 'bob', email: 'bob@example.com', clientId: 'crm', origin: { requestId: 'r' } }

test('a user is created, then updated', async (t) => {
  const { putUser } = await scenario()

  t.true((await putUser.execute(entry)).created)
  t.false((await putUser.execute({ ...entry, displayName: 'Bob' })).created)
})

test('a malformed address changes nothing', async (t) => {
  const { putUser, store, open } = await scenario()
  const id = await open()

  await t.throwsAsync(putUser.execute({ ...entry, userId: 'alice', email: 'a@b.example, c@d.example' }), {
    instanceOf: EmailAddressMalformed,
  })
  t.is<string | undefined, string>((await store.stepUps.load(id))?.user?.email, 'alice@example.com')
})

test('a changed address ends the live challenges, and says who did it', async (t) => {
  const { putUser, store, open } = await scenario()
  const id = await open()

  await putUser.execute({ ...entry, userId: 'alice', email: 'alice@elsewhere.example' })

  t.is((await store.stepUps.load(id))?.challenge.status, 'cancelled')
  t.like(store.events.at(-2), {
    type: 'challenge-cancelled',
    reason: 'email-address-changed',
    actor: 'client:crm',
  })
  t.like(store.events.at(-1), { type: 'user-put', emailAddressChanged: true, actor: 'client:crm' })
})
