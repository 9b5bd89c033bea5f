import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { v7 } from 'uuid'
import { FolderMailbox } from '../../src/development/folder-mailbox.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { ALICE, afterNoon, NOON } from '../domain/examples.ts'
import { SettableClock } from '../doubles/settable-clock.ts'

const BOB = EmailAddress.parse('bob@example.com')

/** A folder that does not exist yet. */
async function freshFolder(t: ExecutionContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'countersign-mailbox-'))
  t.teardown(() => rm(parent, { recursive: true }))
  return join(parent, 'data', 'mailbox')
}

mailTransportContract('mailbox', async (t) => {
  const folder = await freshFolder(t)
  const mailbox = new FolderMailbox(folder, new SettableClock(NOON))
  return {
    transport: mailbox,
    arrived: async () =>
      (await mailbox.list()).map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      await rename(folder, `${folder}-aside`)
      await writeFile(folder, 'a file, where no folder can be made')
    },
    recover: async () => {
      await rm(folder)
      await rename(`${folder}-aside`, folder)
    },
  }
})

test('a mailbox without a folder is empty', async (t) => {
  t.deepEqual(await new FolderMailbox(await freshFolder(t), new SettableClock(NOON)).list(), [])
})

test('the newest mail is first, with id and time', async (t) => {
  const clock = new SettableClock(NOON)
  const mailbox = new FolderMailbox(await freshFolder(t), clock)

  const first = await mailbox.send(otpMail({ subject: 'first' }))
  clock.pass(30)
  const second = await mailbox.send(otpMail({ subject: 'second' }))

  const [newer, older] = await mailbox.list()
  t.like(newer, { id: second.messageId, subject: 'second', sentAt: afterNoon(30) })
  t.like(older, { id: first.messageId, subject: 'first', sentAt: NOON })
})

test('a mail keeps the sender that it has of its own', async (t) => {
  const mailbox = new FolderMailbox(await freshFolder(t), new SettableClock(NOON))
  await mailbox.send(otpMail())
  await mailbox.send(otpMail({ sender: { from: 'Bank B <no-reply@b.example>', replyTo: undefined } }))

  const [branded, plain] = await mailbox.list()
  t.is(branded?.from, 'Bank B <no-reply@b.example>')
  t.is(plain?.from, undefined)
})

test('mails are listed by recipient', async (t) => {
  const mailbox = new FolderMailbox(await freshFolder(t), new SettableClock(NOON))
  await mailbox.send(otpMail({ to: ALICE }))
  await mailbox.send(otpMail({ to: BOB }))

  t.deepEqual(
    (await mailbox.list(BOB)).map(({ to }) => to),
    [BOB],
  )
  t.deepEqual(await mailbox.list('mallory@example.com'), [])
  t.is((await mailbox.list()).length, 2)
})

test('a mail is found by its id', async (t) => {
  const mailbox = new FolderMailbox(await freshFolder(t), new SettableClock(NOON))
  const { messageId } = await mailbox.send(otpMail({ subject: 'this one' }))
  await mailbox.send(otpMail())

  t.like(await mailbox.find(messageId!), { id: messageId, subject: 'this one', sentAt: NOON })
})

test('nothing is found by an id that no mail has, or that leads elsewhere', async (t) => {
  const folder = await freshFolder(t)
  const mailbox = new FolderMailbox(folder, new SettableClock(NOON))
  const { messageId } = await mailbox.send(otpMail())
  await rename(join(folder, `${messageId}.json`), join(folder, '..', `${messageId}.json`))

  for (const id of [v7(), '', `../${messageId}`, `..\\${messageId}`, `%2e%2e/${messageId}`, 'keys']) {
    t.is(await mailbox.find(id), undefined, id)
  }
})

test('several processes share one mailbox', async (t) => {
  const folder = await freshFolder(t)
  const [one, other] = [0, 1].map(() => new FolderMailbox(folder, new SettableClock(NOON)))

  await Promise.all([one, other, one, other].map((mailbox) => mailbox!.send(otpMail())))

  t.is((await one!.list()).length, 4)
  t.deepEqual(await one!.list(), await other!.list())
})

test('a mail that is still being written is not there yet', async (t) => {
  const folder = await freshFolder(t)
  const mailbox = new FolderMailbox(folder, new SettableClock(NOON))
  await mailbox.send(otpMail())
  await writeFile(join(folder, `${v7()}.unfinished`), '{"id":')

  t.is((await mailbox.list()).length, 1)
})

test('a finished mail leaves nothing else behind, and only its owner may read it', async (t) => {
  const folder = await freshFolder(t)
  const { messageId } = await new FolderMailbox(folder, new SettableClock(NOON)).send(otpMail())

  t.deepEqual(await readdir(folder), [`${messageId}.json`])
  t.is((await stat(join(folder, `${messageId}.json`))).mode & 0o077, 0)
})

test('a file that is no mail is named in the error', async (t) => {
  const folder = await freshFolder(t)
  const mailbox = new FolderMailbox(folder, new SettableClock(NOON))
  await mailbox.send(otpMail())
  const broken = `${v7()}.json`
  await writeFile(join(folder, broken), '')

  await t.throwsAsync(mailbox.list(), { message: new RegExp(broken) })
})

test('the five hundred newest mails are shown, and not many more are kept', async (t) => {
  const folder = await freshFolder(t)
  const mailbox = new FolderMailbox(folder, new SettableClock(NOON))
  for (let number = 1; number <= 702; number++) await mailbox.send(otpMail({ subject: `${number}` }))

  const subjects = (await mailbox.list()).map(({ subject }) => subject)

  t.is(subjects.length, 500)
  t.deepEqual([subjects.at(0), subjects.at(-1)], ['702', '203'])
  t.true((await readdir(folder)).length <= 600)
})
