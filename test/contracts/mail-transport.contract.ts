import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  type MailMessage,
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../../src/application/ports/mail-transport.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { ALICE, afterNoon } from '../domain/examples.ts'

/** A transport with the mail system behind it, which a test can look into and take down. */
export interface MailSystem {
  readonly transport: MailTransport
  /** What has arrived, with line ends as LF. */
  arrived(): Promise<readonly ArrivedMail[]>
  /** From now on it takes no mail, until it recovers. */
  fail(): Promise<void>
  recover(): Promise<void>
}

type ArrivedMail = Readonly<Record<'to' | 'subject' | 'text' | 'html', string>>

/** A mail with all that is hard on the way: dots, `From`, long lines, spaces at the end, other scripts, isolates. */
export function otpMail(differences: Partial<MailMessage> = {}): MailMessage {
  return {
    id: randomUUID(),
    kind: 'otp',
    expiresAt: afterNoon(300),
    to: ALICE,
    subject: 'Your confirmation code (QK)',
    text: ['Überweisung an ⁨שלום⁩ ❤️  ', '.', '..two', 'From here', 'x'.repeat(1500), '', '    042917'].join(
      '\n',
    ),
    html: `<p title="a=b">Überweisung &amp; ⁨שלום⁩</p>\n<p>${'x'.repeat(1500)}</p>\n.\n<p>042917</p>`,
    ...differences,
  }
}

/** What no type checker stops when it comes out of a database: none of it is one plain address. */
const NO_RECIPIENTS = [
  'alice@example.com, mallory@example.com',
  'alice@example.com;mallory@example.com',
  'alice@example.com\r\nBcc: mallory@example.com',
  'alice@example.com>\r\nRCPT TO:<mallory@example.com',
  'Alice <alice@example.com>, mallory@example.com',
  'everybody: alice@example.com, mallory@example.com;',
  'alice',
  '',
] as readonly string[] as readonly EmailAddress[]

/** What the deliverer relies on, whoever carries the mails. Called once per adapter. */
export function mailTransportContract(
  adapter: string,
  create: (t: ExecutionContext) => Promise<MailSystem>,
): void {
  test(`${adapter}: a mail arrives once, as it was composed`, async (t) => {
    const { transport, arrived } = await create(t)
    const mail = otpMail()
    const { to, subject, text, html } = mail

    await transport.send(mail)

    t.deepEqual(await arrived(), [{ to, subject, text, html }])
  })

  test(`${adapter}: two mails have two message ids`, async (t) => {
    const { transport } = await create(t)

    const receipts = [await transport.send(otpMail()), await transport.send(otpMail())]

    t.is(new Set(receipts.map(({ messageId }) => messageId)).size, 2)
  })

  test(`${adapter}: thirty mails at once all arrive, each at its own recipient`, async (t) => {
    const { transport, arrived } = await create(t)
    const mails = Array.from({ length: 30 }, (_, index) =>
      otpMail({
        to: `user${index}@example.com` as EmailAddress,
        text: `code ${index}`,
        html: `<p>${index}</p>`,
      }),
    )

    await Promise.all(mails.map((mail) => transport.send(mail)))

    const expected = mails.map(({ to, subject, text, html }) => ({ to, subject, text, html }))
    t.deepEqual(byRecipient(await arrived()), byRecipient(expected))
  })

  for (const to of NO_RECIPIENTS) {
    test(`${adapter}: a mail to ${JSON.stringify(to)} is refused and goes to nobody`, async (t) => {
      const { transport, arrived } = await create(t)

      const error = await t.throwsAsync(transport.send(otpMail({ to })), { instanceOf: MailRefused })

      assertDiscreet(t, error)
      t.deepEqual(await arrived(), [])
    })
  }

  test(`${adapter}: a mail system that is down makes the mail unavailable, and keeps nothing of it`, async (t) => {
    const { transport, arrived, fail, recover } = await create(t)
    await transport.send(otpMail({ subject: 'before' }))
    await fail()

    const error = await t.throwsAsync(transport.send(otpMail({ subject: 'meanwhile' })), {
      instanceOf: MailUnavailable,
    })

    assertDiscreet(t, error)
    await recover()
    await transport.send(otpMail({ subject: 'after' }))
    t.deepEqual((await arrived()).map(({ subject }) => subject).sort(), ['after', 'before'])
  })

  test(`${adapter}: after closing, which may be done twice, nothing is sent`, async (t) => {
    const { transport, arrived } = await create(t)
    await transport.send(otpMail({ subject: 'before' }))

    await transport.close()
    await transport.close()

    await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })
    t.deepEqual(
      (await arrived()).map(({ subject }) => subject),
      ['before'],
    )
  })
}

/** Errors end in logs, with all their properties and causes: none may tell recipient, code or content. */
export function assertDiscreet(t: ExecutionContext, error: Error, ...secrets: readonly string[]): void {
  const shown = inspect(error, { depth: 10, showHidden: true })
  for (const secret of ['alice', 'mallory', 'example.com', '042917', 'Überweisung', ...secrets]) {
    t.false(shown.includes(secret), `${secret} in ${shown}`)
  }
}

const byRecipient = (mails: readonly ArrivedMail[]) =>
  mails.toSorted((one, other) => (one.to < other.to ? -1 : 1))
