import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { createTransport } from 'nodemailer'
import { HtmlLockMailComposer } from '../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { createWordings } from '../../src/adapters/mail-composer/wording.ts'
import { mailContent } from '../../src/adapters/mail-smtp/mail-content.ts'
import { smtpSender } from '../../src/adapters/mail-smtp/smtp-sender.ts'
import type { MailMessage } from '../../src/application/ports/mail-transport.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { ALICE, NOON } from '../domain/examples.ts'

type Written = Pick<MailMessage, 'subject' | 'text' | 'html'>

const LANGUAGES = createWordings().map(({ language }) => language)
const SENDERS = [
  'Countersign <no-reply@bank.example>',
  'no-reply@localhost',
  '"Bäckerei, Müller & Söhne" <post@bank.example>',
  '"Ein sehr langer Name einer sehr langen Bank, der in keine Zeile passt, auch nicht in zwei" <a@bank.example>',
]
const SETTINGS = {
  brand: { name: 'Example Bank', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'Europe/Berlin',
  appHost: 'app.bank.example',
}

/** Texts that break a mail whose writer forgets one of its rules. */
const HOSTILE = [
  '.',
  '..',
  '.\r\n.',
  '\r\n.\r\nMAIL FROM:<mallory@example.com>',
  '--=_',
  '--',
  '=20',
  '=\r\n',
  '=?UTF-8?Q?=42cc?=',
  '=?utf-8?B?not base64',
  'From here',
  'spaces at the end   ',
  '\ttab\t',
  'a\rb',
  'a\nb',
  'a\u2028b\u0085c',
  '\u0000\u0007',
  '\ud800 alone',
  'שלום ⁨עולם⁩',
  'Überweisung – „42“',
  '👩‍👩‍👧‍👦🇩🇪',
  'x'.repeat(75),
  'x'.repeat(76),
  'x'.repeat(77),
  `${'ü'.repeat(200)} ${'é'.repeat(60)}`,
  'w '.repeat(700),
  '{{code}}',
  '$& $1 \\',
  '"quoted" \\ (comment), a; b: c <d@e>',
]
const hostile = fc
  .array(
    fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })),
    {
      maxLength: 4,
    },
  )
  .map((texts) => texts.join(''))

/** The same mail as nodemailer writes it by itself, from the same values. */
async function plainlyComposed(from: string, written: Written, messageId: string): Promise<Buffer> {
  const mailer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const { message } = await mailer.sendMail({
    from: smtpSender(from),
    to: { name: '', address: ALICE },
    ...written,
    messageId,
    date: NOON,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  })
  return message as Buffer
}

/** What a mail program reads: all headers, and all parts with their types. The names of boundaries say nothing. */
async function read(source: Buffer) {
  const { headerLines, headers, subject, from, to, date, messageId, text, html, attachments } =
    await simpleParser(source)
  const value = (key: string) => headers.get(key)
  return {
    names: headerLines.map(({ key }) => key),
    lines: headerLines.filter(({ key }) => key !== 'content-type').map(({ line }) => line),
    contentType: (value('content-type') as { value: string }).value,
    ...{ subject, from: from?.value, to, date, messageId, attachments },
    ...{ text: withLineFeeds(text), html: withLineFeeds(html || undefined) },
    parts: [
      ...source.toString('latin1').matchAll(/^Content-T[\w-]+: (?:text\/|7bit|quoted|base64).*$/gm),
    ].map(([line]) => line.trim()),
  }
}

const withLineFeeds = (text: string | undefined) => text?.replaceAll(/\r\n|\r/g, '\n').trimEnd()

async function assertSame(t: ExecutionContext, from: string, written: Written): Promise<void> {
  const id = randomUUID()
  const messageId = `<${id}@bank.example>`

  const content = mailContent(smtpSender(from))({ id, to: ALICE, ...written }, messageId, NOON)

  t.deepEqual(await read(content), await read(await plainlyComposed(from, written, messageId)))
  // RFC 5322 §2.1.1 and RFC 6376 §5.3: nothing on the way has a reason to break or recode a line.
  t.true(
    content
      .toString('latin1')
      .split('\r\n')
      .every((line) => /^[\t\x20-\x7e]{0,998}$/.test(line)),
  )
}

for (const locale of LANGUAGES) {
  test(`in ${locale}, a mail reads as if nodemailer had composed it, whatever the operation says`, async (t) => {
    const otp = new HtmlOtpMailComposer(SETTINGS)
    const lock = new HtmlLockMailComposer(SETTINGS)
    const line = fc.record({ label: hostile, value: hostile })
    const property = fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 4 }),
      hostile,
      async (summary, displayName) => {
        const times = { issuedAt: NOON, expiresAt: new Date(NOON.getTime() + 300_000) }
        const notice = { code: '042917', reference: 'QK', summary, ...times, locale, displayName }
        await assertSame(t, SENDERS[0]!, otp.compose(notice))
        await assertSame(t, SENDERS[0]!, lock.compose({ lockedUntil: NOON, locale, displayName }))
      },
    )
    await t.notThrowsAsync(fc.assert(property, { numRuns: 20 }))
  })
}

for (const from of SENDERS) {
  test(`a mail from ${from} reads as if nodemailer had composed it`, async (t) => {
    await assertSame(t, from, { subject: 'Your code (QK)', text: 'text', html: '<p>HTML</p>' })
  })
}

for (const [number, text] of HOSTILE.entries()) {
  test(`hostile text ${number}, ${JSON.stringify(text.slice(0, 30))}, in subject, text and HTML reads as if nodemailer had composed it`, async (t) => {
    await assertSame(t, SENDERS[0]!, { subject: `s${text}`, text: `t\n${text}`, html: `<p>\n${text}\n</p>` })
  })
}

test('no text of a mail contains its boundary, which differs from mail to mail', (t) => {
  const write = mailContent(smtpSender(SENDERS[0]!))
  const boundaryOf = (to: EmailAddress) => {
    const written = { id: randomUUID(), to, subject: 's', text: 't', html: 'h' }
    return /boundary="([^"]+)"/.exec(write(written, '<a@b>', NOON).toString())![1]
  }

  t.not(boundaryOf(ALICE), boundaryOf(ALICE))
})
