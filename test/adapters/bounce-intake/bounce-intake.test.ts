import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { createTransport } from 'nodemailer'
import { pino } from 'pino'
import { BounceIntake } from '../../../src/adapters/bounce-intake/bounce-intake.ts'
import type { RecordNoticeCommand } from '../../../src/application/mail/record-notice.ts'
import type { NoticeOutcome } from '../../../src/contracts/notice-outcome.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { PlainBounceAddresses } from '../../doubles/plain-bounce-addresses.ts'
import { type Fate, MAIL_SYSTEMS, noticeOf, RETURNED_CODE, shapeOf } from './notices.ts'

const ADDRESSES = new PlainBounceAddresses('bounces.bank.example')

async function intake(t: ExecutionContext, record: () => Promise<'stored'> = async () => 'stored') {
  const recorded: RecordNoticeCommand[] = []
  const outcomes: NoticeOutcome[] = []
  const lines: string[] = []
  const server = new BounceIntake(
    { host: '127.0.0.1', port: 0, shared: false },
    ADDRESSES,
    {
      execute: async (command) => {
        const result = await record()
        recorded.push(command)
        return result
      },
    },
    pino({ level: 'trace' }, { write: (line) => void lines.push(line) }),
    (outcome) => outcomes.push(outcome),
  )
  const port = await server.listen()
  t.teardown(() => server.close())
  const client = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  return {
    ...{ recorded, outcomes, lines, port, server },
    give: (raw: string, to: string | string[], from = '') =>
      client.sendMail({ envelope: { from, to }, raw }).then(
        ({ response }) => response,
        ({ response }) => response as string,
      ),
  }
}

const HARD = { outcome: 'bounced', kind: 'hard-bounce' } as const
const SOFT = { outcome: 'bounced', kind: 'soft-bounce' } as const

/** What each notice means, for each mail system that writes it. */
const MEANINGS: Readonly<Record<Fate, RecordNoticeCommand['report'] | undefined>> = {
  unknown: HARD,
  bare: SOFT,
  policy: SOFT,
  content: SOFT,
  full: SOFT,
  waiting: { outcome: 'delayed' },
  local: HARD,
  delivered: { outcome: 'delivered' },
  relayed: undefined,
}
/** They say nothing of a code, so it may be their own fault. */
const WITHOUT_A_CODE = [
  ['OpenSMTPD', 'local'],
  ['Exim', 'local'],
]

for (const system of MAIL_SYSTEMS) {
  for (const fate of Object.keys(MEANINGS) as Fate[]) {
    const shape = shapeOf(system, fate)
    if (!shape) continue
    const says = WITHOUT_A_CODE.some(([one, other]) => one === system && other === fate)
      ? SOFT
      : MEANINGS[fate]

    test(`a notice of ${system} about a mail that is ${fate} means ${says ? Object.values(says).join(', ') : 'nothing'}`, async (t) => {
      const { give, recorded, outcomes, lines } = await intake(t)
      const issuanceId = randomUUID()

      const answer = await give(
        noticeOf(system, shape, ADDRESSES.of(issuanceId), issuanceId),
        ADDRESSES.of(issuanceId),
      )

      t.regex(answer, /^250 /)
      t.deepEqual(recorded, says ? [{ issuanceId, report: says }] : [])
      t.deepEqual(outcomes, [says ? 'stored' : 'ignored'])
      t.false(lines.join().includes(RETURNED_CODE) || lines.join().includes('@'))
    })
  }
}

const ISSUANCE = randomUUID()
const OURS = ADDRESSES.of(ISSUANCE)
const HARD_BOUNCE = noticeOf('Postfix', shapeOf('Postfix', 'unknown')!, OURS, ISSUANCE)

test('the bounce address counts in any case', async (t) => {
  const { give, recorded } = await intake(t)

  t.regex(await give(HARD_BOUNCE, OURS.toUpperCase()), /^250 /)

  t.deepEqual(recorded, [{ issuanceId: ISSUANCE, report: HARD }])
})

test('mail from a sender is refused, whoever it is to', async (t) => {
  const { give, recorded, outcomes } = await intake(t)

  t.regex(await give(HARD_BOUNCE, OURS, 'mallory@example.com'), /^550 /)

  t.deepEqual([recorded, outcomes], [[], []])
})

for (const to of [
  'postmaster@bounces.bank.example',
  `bounce+${ISSUANCE}@bounces.bank.example`,
  `bounce+alice.aaaaaaaaaaaaaaaa@bounces.bank.example`,
  `bounce+${ISSUANCE}.aaaaaaaaaaaaaaaa@elsewhere.example`,
  `x+${ISSUANCE}.aaaaaaaaaaaaaaaa@bounces.bank.example`,
]) {
  test(`${to.replace(ISSUANCE, '<id>')} is no mailbox here`, async (t) => {
    const { give, recorded } = await intake(t)

    t.regex(await give(HARD_BOUNCE, to), /^550 /)
    t.deepEqual(recorded, [])
  })
}

const without = (part: RegExp) => HARD_BOUNCE.replace(part, '')
const nested = (raw: string, depth: number): string =>
  depth === 0
    ? raw
    : `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n${nested(raw, depth - 1)}\r\n--b${depth}--\r\n`

const CHANGES_NOTHING: readonly (readonly [string, NoticeOutcome, string, string?])[] = [
  ['a notice to a forged address', 'forged', HARD_BOUNCE, OURS.replace(/a{16}/, 'b'.repeat(16))],
  ['a huge mail to a forged address', 'forged', 'x'.repeat(700_000), OURS.replace(/a{16}/, 'b'.repeat(16))],
  ['a notice larger than any', 'oversized', `${HARD_BOUNCE}${'x'.repeat(76)}\r\n`.padEnd(700_000, 'y\r\n')],
  [
    'a notice that has passed a hundred servers',
    'looping',
    'Received: from a by b\r\n'.repeat(101) + HARD_BOUNCE,
  ],
  ['an empty mail', 'unreadable', ''],
  ['bytes', 'unreadable', String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte))],
  [
    'an answer of a person',
    'unreadable',
    'From: alice@example.com\r\nSubject: Re: code\r\n\r\nStatus: 5.1.1\r\n',
  ],
  ['a head that never ends', 'unreadable', `X: ${'y'.repeat(70_000)}\r\n${HARD_BOUNCE}`],
  [
    'a thousand parts',
    'unreadable',
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(1000)}--b--\r\n`,
  ],
  ['a notice a hundred levels deep', 'unreadable', nested(HARD_BOUNCE, 15)],
  [
    'a notice that an answer quotes whole',
    'unreadable',
    `Content-Type: message/rfc822\r\n\r\n${HARD_BOUNCE}`,
  ],
  ['a notice without an action', 'unreadable', without(/Action: .*\r\n/)],
  ['a notice of an unknown action', 'ignored', HARD_BOUNCE.replace('Action: failed', 'Action: pondered')],
  [
    'a notice about another mail',
    'contradictory',
    HARD_BOUNCE.replace(`Id: ${ISSUANCE}`, `Id: ${randomUUID()}`),
  ],
]

for (const [what, outcome, raw, to = OURS] of CHANGES_NOTHING) {
  test(`${what} is counted as ${outcome}, accepted, and changes nothing`, async (t) => {
    const { give, recorded, outcomes } = await intake(t)

    t.regex(await give(raw, to), /^250 /)

    t.deepEqual(recorded, [])
    t.deepEqual(outcomes, [outcome])
  })
}

for (const [what, raw, report] of [
  ['an envelope id of another system', HARD_BOUNCE.replace(`Id: ${ISSUANCE}`, 'Id: 4711'), HARD],
  [
    'no multipart/report',
    HARD_BOUNCE.replace(/multipart\/report; report-type=delivery-status/, 'multipart/mixed'),
    HARD,
  ],
  ['no Auto-Submitted', without(/Auto-Submitted: .*\r\n/), HARD],
  ['no Original-Recipient', without(/Original-Recipient: .*\r\n/), HARD],
  ['a wrapping', nested(HARD_BOUNCE, 1), HARD],
  ['bare line feeds', HARD_BOUNCE.replaceAll('\r\n', '\n'), HARD],
  ['a comment after its action', HARD_BOUNCE.replace('Action: failed', 'ACTION : Failed (for good)'), HARD],
  ['two actions', HARD_BOUNCE.replace('Action: failed', 'Action: failed\r\nAction: delivered'), HARD],
  [
    'a delivery of a further recipient',
    HARD_BOUNCE.replace('Action: failed', 'Action: delivered\r\n\r\nAction: failed'),
    { outcome: 'delivered' },
  ],
  ['its fields in base64', inBase64(HARD_BOUNCE), HARD],
  [
    'its fields as quoted-printable',
    HARD_BOUNCE.replace(
      'Content-Type: message/delivery-status',
      'Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: quoted-printable',
    ).replace('Action: failed', 'Action:=20fai=\r\nled'),
    HARD,
  ],
  [
    'a soft break after a blank of its reply',
    HARD_BOUNCE.replace(
      'Content-Type: message/delivery-status',
      'Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: quoted-printable',
    ).replace('550 5.1.1', '550 =  \r\n5.7.1'),
    SOFT,
  ],
  ['no last boundary', HARD_BOUNCE.slice(0, HARD_BOUNCE.indexOf('Content-Description: Undelivered')), HARD],
  [
    'fields of RFC 6533',
    HARD_BOUNCE.replace('message/delivery-status', 'message/global-delivery-status'),
    HARD,
  ],
] as const) {
  test(`a notice with ${what} counts as well`, async (t) => {
    const { give, recorded } = await intake(t)

    t.regex(await give(raw, OURS), /^250 /)

    t.deepEqual(recorded, [{ issuanceId: ISSUANCE, report }])
  })
}

function inBase64(raw: string): string {
  return raw.replace(
    /Content-Type: message\/delivery-status\r\n\r\n([\s\S]*?)(?=\r\n--)/,
    (_, fields: string) =>
      `Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(fields).toString('base64')}`,
  )
}

test('a database that is away is a 451, after which the mail system comes again', async (t) => {
  let away = true
  const { give, recorded, outcomes } = await intake(t, async () => {
    if (away) throw new StorageUnavailable('gone')
    return 'stored'
  })

  t.regex(await give(HARD_BOUNCE, OURS), /^451 /)
  away = false
  t.regex(await give(HARD_BOUNCE, OURS), /^250 /)

  t.is(recorded.length, 1)
  t.deepEqual(outcomes, ['unavailable', 'stored'])
})

test('a fault of ours is logged, and the notice is not asked for again', async (t) => {
  const { give, outcomes, lines } = await intake(t, async () => {
    throw new Error('a defect')
  })

  t.regex(await give(HARD_BOUNCE, OURS), /^250 /)

  t.deepEqual(outcomes, ['failed'])
  t.true(lines.some((line) => line.includes('a notice could not be taken')))
})

test('one connection may bring any number of notices, and one notice at most ten recipients', async (t) => {
  const { port, recorded } = await intake(t)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const replies = createInterface(socket)[Symbol.asyncIterator]()
  const ask = async (line: string) => {
    socket.write(`${line}\r\n`)
    for (;;) {
      const { value } = await replies.next()
      if (value === undefined || /^\d{3} /.test(value)) return String(value).slice(0, 3)
    }
  }
  await replies.next()
  await ask('EHLO relay.bank.example')
  for (let count = 0; count < 30; count++) {
    await ask('MAIL FROM:<>')
    await ask(`RCPT TO:<${OURS}>`)
    await ask('DATA')
    t.is(await ask(`${HARD_BOUNCE}\r\n.`), '250')
  }
  t.is(recorded.length, 30)

  await ask('MAIL FROM:<>')
  for (let count = 0; count < 10; count++) t.is(await ask(`RCPT TO:<${ADDRESSES.of(randomUUID())}>`), '250')
  t.is(await ask(`RCPT TO:<${OURS}>`), '550')
})

test('closing finishes the conversation in progress and accepts no other', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const release = Promise.withResolvers<'stored'>()
  const { give, server, port, recorded } = await intake(t, () => {
    arrived.resolve()
    return release.promise
  })
  const answer = give(HARD_BOUNCE, OURS)
  await arrived.promise

  const closed = server.close()
  const late = connect(port, '127.0.0.1')
  await t.throwsAsync(once(late, 'connect'))
  release.resolve('stored')

  t.regex(await answer, /^250 /)
  await closed
  t.is(recorded.length, 1)
})

test('several processes share a port', async (t) => {
  const shared = (port: number) =>
    new BounceIntake(
      { host: '127.0.0.1', port, shared: true },
      ADDRESSES,
      { execute: async () => 'stored' },
      pino({ level: 'silent' }),
    )
  const first = shared(0)
  const port = await first.listen()
  const second = shared(port)
  t.is(await second.listen(), port)
  await Promise.all([first.close(), second.close()])
})
