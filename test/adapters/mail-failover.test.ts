import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { FailoverMailTransport } from '../../src/adapters/mail-failover/failover-mail-transport.ts'
import {
  type MailMessage,
  MailOutcomeUnknown,
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../../src/application/ports/mail-transport.ts'
import { assertDiscreet, mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { afterNoon, NOON } from '../domain/examples.ts'
import { InMemoryMailTransport } from '../doubles/in-memory-mail-transport.ts'
import { SettableClock } from '../doubles/settable-clock.ts'

/** Rests for longer than any test, or not at all: the next mail is its trial. */
const FOR_LONG = { failuresToOpen: 3, restInMs: 3_600_000 }
const FOR_NO_TIME = { failuresToOpen: 3, restInMs: 0 }

/** Two transports that do as they are told, and count what they are asked. */
function failover(guard = FOR_LONG) {
  const logLines: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const clock = new SettableClock(NOON)
  const [first, second] = [new CountingTransport(), new CountingTransport()]
  const transport = new FailoverMailTransport(
    [
      ['postmark', first],
      ['smtp', second],
    ],
    clock,
    logger,
    guard,
  )
  return { transport, first, second, clock, logLines }
}

class CountingTransport extends InMemoryMailTransport {
  calls = 0

  override async send(message: MailMessage) {
    this.calls++
    return super.send(message)
  }
}

/** Sends so many mails, one after the other, whatever becomes of them. */
async function sendMails(transport: MailTransport, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) await transport.send(otpMail()).catch(() => {})
}

mailTransportContract('failover', async () => {
  const { transport, first, second } = failover()
  return {
    transport,
    arrived: async () => first.sent.map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      first.mode = second.mode = 'unavailable'
    },
    recover: async () => {
      first.mode = second.mode = 'taking'
    },
  }
})

mailTransportContract('failover without its first', async () => {
  const { transport, first, second } = failover()
  first.mode = 'unavailable'
  return {
    transport,
    arrived: async () => second.sent.map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      second.mode = 'unavailable'
    },
    recover: async () => {
      second.mode = 'taking'
    },
  }
})

test('a mail that the first transport takes is not shown to the second', async (t) => {
  const { transport, second } = failover()

  await transport.send(otpMail())

  t.is(second.calls, 0)
})

test('a mail that the first transport did not take goes over the second at once, unchanged', async (t) => {
  const { transport, first, second, logLines } = failover()
  first.mode = 'unavailable'
  const mail = otpMail()

  const receipt = await transport.send(mail)

  t.deepEqual(second.sent, [mail])
  t.is(receipt.messageId, 'm-1')
  t.like(logLines, [{ level: 40, msg: 'mail failed over', transport: 'smtp', mailId: mail.id }])
})

test('a mail that the first transport refuses is refused, and not shown to the second', async (t) => {
  const { transport, first, second } = failover()
  first.mode = 'refusing'

  await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailRefused })

  t.is(second.calls, 0)
})

test('a mail that may have gone out is not shown to the second transport', async (t) => {
  const { transport, first, second } = failover()
  first.mode = 'silent'

  await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailOutcomeUnknown })

  t.is(second.calls, 0)
})

test('a mail that neither transport takes is unavailable, for the reasons of both', async (t) => {
  const { transport, first, second } = failover()
  first.mode = second.mode = 'unavailable'

  const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })

  t.false(error instanceof MailOutcomeUnknown)
  t.is(error.message, 'postmark: The test made it unavailable; smtp: The test made it unavailable')
})

test('the reply to a mail that neither transport takes is that of both, as far as they replied', async (t) => {
  const { transport, first, second } = failover()
  first.mode = second.mode = 'unavailable'

  t.like(await t.throwsAsync(transport.send(otpMail())), { reply: 'memory 451; memory 451' })

  first.send = second.send = async () => {
    throw new MailUnavailable('no reply')
  }
  t.like(await t.throwsAsync(transport.send(otpMail())), { reply: undefined })
})

test('a defect of the first transport is no reason to try the second', async (t) => {
  const { transport, first, second } = failover()
  const defect = new TypeError('a defect')
  first.send = async () => {
    throw defect
  }

  t.is(await t.throwsAsync(transport.send(otpMail())), defect)
  t.is(second.calls, 0)
})

for (const [when, passed, calls] of [
  ['in the last millisecond of its code', 299.999, 1],
  ['at the end of its code', 300, 0],
] as const) {
  test(`a mail that the first transport gives back ${when} is shown to the second ${calls} times`, async (t) => {
    const { transport, first, second, clock } = failover()
    first.send = async () => {
      clock.pass(passed)
      throw new MailUnavailable('after a long time')
    }
    second.mode = 'unavailable'

    await t.throwsAsync(transport.send(otpMail({ expiresAt: afterNoon(300) })), {
      instanceOf: MailUnavailable,
    })

    t.is(second.calls, calls)
  })
}

for (const mode of ['unavailable', 'silent'] as const) {
  test(`a transport that is ${mode} three times in a row is left alone, and not after two`, async (t) => {
    const { transport, first, second } = failover()
    first.mode = mode

    await sendMails(transport, 2)
    await sendMails(transport, 1)
    t.is(first.calls, 3)
    const { messageId } = await transport.send(otpMail())

    t.is(first.calls, 3)
    t.is(messageId, `m-${second.sent.length}`)
  })
}

for (const mode of ['taking', 'refusing'] as const) {
  test(`a mail that is answered by ${mode} it ends a row of failures`, async (t) => {
    const { transport, first } = failover()
    for (const next of ['unavailable', 'unavailable', mode, 'unavailable', 'unavailable'] as const) {
      first.mode = next
      await sendMails(transport, 1)
    }

    first.mode = 'taking'
    await transport.send(otpMail())

    t.is(first.calls, 6)
  })
}

test('two transports that rest are asked nothing, and the mail is unavailable', async (t) => {
  const { transport, first, second } = failover()
  first.mode = second.mode = 'unavailable'
  await sendMails(transport, 3)

  const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })

  t.deepEqual([first.calls, second.calls], [3, 3])
  t.is(error.message, 'postmark: rests after too many failures; smtp: rests after too many failures')
})

for (const mode of ['taking', 'refusing'] as const) {
  test(`after its rest a transport that is ${mode} on trial is used again`, async (t) => {
    const { transport, first, logLines } = failover(FOR_NO_TIME)
    first.mode = 'unavailable'
    await sendMails(transport, 3)

    first.mode = mode
    await sendMails(transport, 1)
    first.mode = 'taking'
    await Promise.all([transport.send(otpMail()), transport.send(otpMail())])

    t.is(first.calls, 6)
    t.deepEqual(
      logLines.filter(({ msg }) => msg !== 'mail failed over').map(({ level, msg }) => [level, msg]),
      [
        [40, 'mail transport rests'],
        [30, 'mail transport works again'],
      ],
    )
  })
}

test('a transport that fails on trial rests again at once', async (t) => {
  const { transport, first, logLines } = failover(FOR_NO_TIME)
  first.mode = 'unavailable'

  await sendMails(transport, 4)

  t.is(logLines.filter(({ msg }) => msg === 'mail transport rests').length, 2)
})

test('of many mails at once one tries a transport that rested, and the others do not wait for it', async (t) => {
  const { transport, first, second } = failover(FOR_NO_TIME)
  first.mode = 'unavailable'
  await sendMails(transport, 3)
  const trial = Promise.withResolvers<void>()
  first.mode = 'taking'
  const send = first.send.bind(first)
  first.send = async (message) => {
    await trial.promise
    return send(message)
  }

  const tried = transport.send(otpMail())
  const others = await Promise.all(Array.from({ length: 20 }, () => transport.send(otpMail())))
  trial.resolve()
  await tried

  t.is(others.length, 20)
  t.deepEqual([first.sent.length, second.sent.length], [1, 23])
})

test('what it logs and throws tells neither recipient nor content', async (t) => {
  const { transport, first, second, logLines } = failover()
  first.mode = 'unavailable'
  await sendMails(transport, 4)
  second.mode = 'unavailable'

  const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })

  assertDiscreet(t, error)
  t.true(logLines.length >= 5)
  assertDiscreet(t, new Error(JSON.stringify(logLines)))
})

test('closing closes both', async (t) => {
  const { transport, first, second } = failover()

  await transport.close()

  for (const each of [first, second]) await assertClosed(t, each)
})

async function assertClosed(t: ExecutionContext, transport: MailTransport): Promise<void> {
  await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })
}
