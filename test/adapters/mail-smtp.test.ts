import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { dkimVerify } from 'mailauth'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { DkimKey } from '../../src/adapters/mail-smtp/dkim-signer.ts'
import { SmtpMailTransport } from '../../src/adapters/mail-smtp/smtp-mail-transport.ts'
import type { SmtpOptions } from '../../src/adapters/mail-smtp/smtp-options.ts'
import {
  MailOutcomeUnknown,
  MailRefused,
  MailUnavailable,
  RecipientSuppressed,
} from '../../src/application/ports/mail-transport.ts'
import { assertDiscreet, mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { ALICE } from '../domain/examples.ts'
import { newDkimKey, recordOf } from '../doubles/dkim-key.ts'
import { PlainBounceAddresses } from '../doubles/plain-bounce-addresses.ts'
import { selfSignedCertificate } from '../doubles/self-signed-certificate.ts'

const FROM = 'Countersign <no-reply@bank.example>'
/** Reaches this machine, but is no name for it that the transport knows: it stands for every server elsewhere. */
const ELSEWHERE = '0.0.0.0'

interface Arrival {
  readonly mail: ParsedMail
  readonly raw: string
  readonly envelope: { readonly from: string | undefined; readonly to: readonly string[] }
  readonly secure: boolean
  readonly user: string | undefined
}

/** A real SMTP server; without `options` it takes mail from everybody, in the clear. */
async function inbox(t: ExecutionContext, options: SMTPServerOptions = {}) {
  const arrivals: Arrival[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, { envelope, secure, user }, done) => {
      buffer(stream).then(async (bytes) => {
        const from = envelope.mailFrom ? envelope.mailFrom.address : undefined
        arrivals.push({
          mail: await simpleParser(bytes),
          raw: bytes.toString('latin1'),
          envelope: { from, to: envelope.rcptTo.map(({ address }) => address) },
          secure,
          user: user === undefined ? undefined : String(user),
        })
        done(null, 'queued')
      }, done)
    },
    ...options,
  })
  // A client that does not trust the server drops the connection: that is what some tests are about.
  server.on('error', () => {})
  const listening = server.listen(0, ELSEWHERE)
  await once(listening, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  return { arrivals, port: (listening.address() as AddressInfo).port }
}

function transportTo(
  t: ExecutionContext,
  url: string,
  options: Partial<
    Pick<SmtpOptions, 'timeoutInMs' | 'bounceAddresses' | 'from' | 'replyTo' | 'dkimKeys'>
  > = {},
) {
  const transport = new SmtpMailTransport({ url, from: FROM, ...options })
  t.teardown(() => transport.close())
  return transport
}

mailTransportContract('smtp', async (t) => {
  let down = false
  const { arrivals, port } = await inbox(t, {
    onMailFrom: (_address, _session, done) =>
      done(down ? Object.assign(new Error('try later'), { responseCode: 451 }) : null),
  })
  return {
    transport: transportTo(t, `smtp://localhost:${port}`),
    arrived: async () =>
      arrivals.map(({ mail, envelope }) => ({
        to: envelope.to.join(),
        subject: mail.subject ?? '',
        text: (mail.text ?? '').replace(/\n$/, ''),
        html: (mail.html || '').replace(/\n$/, ''),
      })),
    fail: async () => {
      down = true
    },
    recover: async () => {
      down = false
    },
  }
})

test('a mail has the headers of an automatic mail from one sender to one recipient, and no others', async (t) => {
  const { arrivals, port } = await inbox(t)
  const message = otpMail()

  const { messageId } = await transportTo(t, `smtp://127.0.0.1:${port}`).send(message)

  const [{ mail, envelope, raw }] = arrivals as [Arrival]
  t.deepEqual(envelope, { from: 'no-reply@bank.example', to: [ALICE] })
  t.deepEqual(mail.headerLines.map(({ key }) => key).sort(), [
    'auto-submitted',
    'content-type',
    'date',
    'from',
    'message-id',
    'mime-version',
    'subject',
    'to',
    'x-auto-response-suppress',
  ])
  t.is(mail.from?.text, '"Countersign" <no-reply@bank.example>')
  t.is([mail.to].flat()[0]?.text, ALICE)
  t.is(mail.headers.get('auto-submitted'), 'auto-generated')
  t.is(mail.headers.get('x-auto-response-suppress'), 'All')
  t.is(mail.messageId, `<${message.id}@bank.example>`)
  t.is(messageId, mail.messageId)
  t.true(mail.date instanceof Date)
  t.deepEqual(mail.attachments, [])
  // RFC 5322 §2.1.1: what is longer may be cut on the way. RFC 6376 §5.3: what is not plain ASCII in CRLF lines may be
  // recoded on the way, which breaks the signature of the relay.
  t.true(raw.split('\r\n').every((line) => /^[\t\x20-\x7e]{0,998}$/.test(line)))
})

test('with a key, each mail arrives signed for the domain of its sender, and is the same otherwise', async (t) => {
  const { arrivals, port } = await inbox(t)
  const dkimKey = { ...newDkimKey('mail2026'), domain: 'bank.example' }
  const record = recordOf(dkimKey)
  const message = otpMail()
  await transportTo(t, `smtp://127.0.0.1:${port}`).send(message)
  await transportTo(t, `smtp://127.0.0.1:${port}`, { dkimKeys: [dkimKey] }).send(message)

  const [plain, signed] = arrivals as [Arrival, Arrival]
  const { results } = await dkimVerify(Buffer.from(signed.raw, 'latin1'), {
    resolver: async (name) => (name === 'mail2026._domainkey.bank.example' ? [[record]] : []),
    strict: true,
  })
  t.deepEqual(
    results.map(({ status, signingDomain }) => [status.result, signingDomain]),
    [['pass', 'bank.example']],
  )
  const withoutDate = (raw: string) => raw.replace(/^Date: .*$/m, '')
  t.is(withoutDate(signed.raw.replace(/^DKIM-Signature: .*\r\n(?:[ \t].*\r\n)+/, '')), withoutDate(plain.raw))
  t.true(signed.raw.split('\r\n').every((line) => line.length <= 998))
})

test('a server that sends notices is asked to return no content, under the id of the mail', async (t) => {
  const asked: unknown[] = []
  const { port } = await inbox(t, {
    hideDSN: false,
    onMailFrom: (_address, { envelope }, done) => {
      asked.push(envelope.dsn)
      done(null)
    },
  })
  const message = otpMail()

  await transportTo(t, `smtp://localhost:${port}`).send(message)

  t.deepEqual(asked, [{ ret: 'HDRS', envid: message.id }])
})

test('a server that does not is asked for nothing', async (t) => {
  const asked: unknown[] = []
  const { port } = await inbox(t, {
    onMailFrom: ({ args }, _session, done) => {
      asked.push(args)
      done(null)
    },
  })

  await transportTo(t, `smtp://localhost:${port}`).send(otpMail())

  const [{ RET, ENVID }] = asked as [Record<string, unknown>]
  t.deepEqual([RET, ENVID], [undefined, undefined])
})

test('a mail with a code leaves under its bounce address, a lock notice under the sender, both from the sender', async (t) => {
  const bounceAddresses = new PlainBounceAddresses('bounces.bank.example')
  const asked: unknown[] = []
  const { arrivals, port } = await inbox(t, {
    hideDSN: false,
    onRcptTo: ({ dsn }, _session, done) => {
      asked.push(dsn?.notify)
      done(null)
    },
  })
  const transport = transportTo(t, `smtp://localhost:${port}`, { bounceAddresses })
  const code = otpMail()

  await transport.send(code)
  await transport.send(otpMail({ kind: 'lock-notice' }))

  t.deepEqual(
    arrivals.map(({ envelope }) => envelope.from),
    [bounceAddresses.of(code.id), 'no-reply@bank.example'],
  )
  t.true(arrivals.every(({ mail }) => mail.from?.text === '"Countersign" <no-reply@bank.example>'))
  t.deepEqual(asked, [['SUCCESS', 'FAILURE', 'DELAY'], undefined])
})

test('every attempt to send a mail carries the same message id', async (t) => {
  const { arrivals, port } = await inbox(t)
  const transport = transportTo(t, `smtp://localhost:${port}`)
  const message = otpMail()

  await transport.send(message)
  await transport.send(message)

  t.is(new Set(arrivals.map(({ mail }) => mail.messageId)).size, 1)
})

test('a line break in a subject makes no header', async (t) => {
  const { arrivals, port } = await inbox(t)

  await transportTo(t, `smtp://localhost:${port}`).send(otpMail({ subject: 'a\r\nBcc: mallory@example.com' }))

  const [{ mail, envelope }] = arrivals as [Arrival]
  t.deepEqual(envelope.to, [ALICE])
  t.false(mail.headers.has('bcc'))
})

test('a content that points to a file or a URL is neither read nor fetched', async (t) => {
  const { arrivals, port } = await inbox(t)
  const fetched: unknown[] = []
  const web = createHttpServer((request, response) => {
    fetched.push(request.url)
    response.end('fetched')
  })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => web.close())
  const href = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`

  for (const pointer of [{ path: import.meta.filename }, { href }]) {
    const message = otpMail({ text: pointer as unknown as string })
    await t.throwsAsync(transportTo(t, `smtp://localhost:${port}`).send(message), {
      instanceOf: MailUnavailable,
    })
  }

  t.deepEqual(arrivals, [])
  t.deepEqual(fetched, [])
})

test('mails one after the other share a connection', async (t) => {
  let connections = 0
  const { port } = await inbox(t, {
    onConnect: (_session, done) => {
      connections++
      done()
    },
  })
  const transport = transportTo(t, `smtp://localhost:${port}`)

  for (let count = 0; count < 3; count++) await transport.send(otpMail())

  t.is(connections, 1)
})

// TLS

const { cert, key } = selfSignedCertificate(ELSEWHERE)
const login: SMTPServerOptions = {
  authOptional: false,
  onAuth: ({ username, password }, _session, done) =>
    username === 'bank@example' && password === 'p:a%s'
      ? done(null, { user: 'bank' })
      : done(new Error('no')),
}

test('a server elsewhere gets login and mail over TLS only, once its certificate is trusted', async (t) => {
  const { arrivals, port } = await inbox(t, { ...login, disabledCommands: [], cert, key })
  const url = `smtp://bank%40example:p%3Aa%25s@${ELSEWHERE}:${port}`

  const error = await t.throwsAsync(transportTo(t, url).send(otpMail()), { instanceOf: MailUnavailable })
  assertDiscreet(t, error, 'p:a%s', 'bank@')
  t.deepEqual(arrivals, [])

  setDefaultCACertificates([...getCACertificates(), cert])
  await transportTo(t, url).send(otpMail())
  t.like(arrivals, [{ secure: true, user: 'bank' }])
})

test('a server elsewhere that offers no TLS gets neither login nor mail', async (t) => {
  let logins = 0
  const { arrivals, port } = await inbox(t, {
    ...login,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => {
      logins++
      done(null, { user: 'bank' })
    },
  })

  await t.throwsAsync(transportTo(t, `smtp://bank:password@${ELSEWHERE}:${port}`).send(otpMail()), {
    instanceOf: MailUnavailable,
  })
  t.is(logins, 0)
  t.deepEqual(arrivals, [])
})

test('a server on this machine is used without TLS, whatever certificate it has', async (t) => {
  const { arrivals, port } = await inbox(t, { disabledCommands: [], ...selfSignedCertificate('localhost') })

  await transportTo(t, `smtp://localhost:${port}`).send(otpMail())

  t.like(arrivals, [{ secure: false }])
})

test('a server with TLS from the start must have a certificate that verifies, on this machine too', async (t) => {
  const { arrivals, port } = await inbox(t, { secure: true, ...selfSignedCertificate('localhost') })

  await t.throwsAsync(transportTo(t, `smtps://localhost:${port}`).send(otpMail()), {
    instanceOf: MailUnavailable,
  })
  t.deepEqual(arrivals, [])
})

test('a login that fails leaves the mail for a better one, and is not repeated in the error', async (t) => {
  const { arrivals, port } = await inbox(t, { ...login, allowInsecureAuth: true })

  const error = await t.throwsAsync(
    transportTo(t, `smtp://bank%40example:wrong-password@localhost:${port}`).send(otpMail()),
    { instanceOf: MailUnavailable, message: /EAUTH, 535/ },
  )
  assertDiscreet(t, error, 'wrong-password', 'bank@')
  t.deepEqual(arrivals, [])
})

// A server that answers as it is told

type Reply = string | 'SILENCE' | 'RESET' | 'TRICKLE'
type Stage = 'connect' | 'EHLO' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'content'

const PROPER: Readonly<Record<string, Reply>> = {
  connect: '220 ready',
  EHLO: '250-ready\r\n250 AUTH PLAIN',
  AUTH: '235 welcome',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go on',
  content: '250 queued',
  RSET: '250 ok',
  QUIT: '221 bye',
}

async function scripted(t: ExecutionContext, stage: Stage, reply: Reply, pipelined = false): Promise<string> {
  const proper = pipelined ? { ...PROPER, EHLO: '250-ready\r\n250-PIPELINING\r\n250 AUTH PLAIN' } : PROPER
  const script = { ...proper, [stage]: reply }
  const server = createServer((socket) => {
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    let inContent = false
    answer(t, socket, script.connect!)
    createInterface(socket).on('line', (line) => {
      if (inContent && line !== '.') return
      const verb = inContent ? 'content' : line.slice(0, 4).toUpperCase()
      inContent = verb === 'DATA' && script.DATA!.startsWith('3')
      answer(t, socket, script[verb] ?? '502 no')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `smtp://bank:password@127.0.0.1:${(server.address() as AddressInfo).port}`
}

function answer(t: ExecutionContext, socket: Socket, reply: Reply): void {
  if (reply === 'SILENCE') return
  if (reply === 'RESET') return void socket.resetAndDestroy()
  if (reply !== 'TRICKLE') return void socket.write(`${reply}\r\n`)
  const timer = setInterval(() => socket.write('250-and so on\r\n'), 10)
  t.teardown(() => clearInterval(timer))
}

const FOR_GOOD: readonly (readonly [Stage, string])[] = [
  ['RCPT', '550 5.1.1 <alice@example.com>: there is no such user'],
  ['RCPT', '553 mailbox name alice@example.com not allowed'],
  ['RCPT', '552 5.2.2 the mailbox of alice@example.com is full'],
  ['RCPT', '501 5.1.3 bad address syntax'],
  ['RCPT', '550 5.1.1 <helo@example.com>: sender rejected@example.com is unknown'],
  ['DATA', '554 no valid recipients'],
  ['content', '554 5.6.0 this content is not taken: 042917'],
]

for (const [stage, reply] of FOR_GOOD) {
  test(`a mail is refused for good by ${JSON.stringify(reply)} to ${stage}`, async (t) => {
    const transport = transportTo(t, await scripted(t, stage, reply))

    const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailRefused })

    t.regex(error.message, new RegExp(`\\((EENVELOPE|EMESSAGE), ${reply.slice(0, 3)}( 5\\.\\d\\.\\d)?\\)$`))
    t.regex(error.reply!, new RegExp(`^smtp (RCPT|DATA) ${reply.slice(0, 3)}`))
    assertDiscreet(t, error)
  })
}

const NO_MAILBOX: readonly string[] = [
  '550 5.1.1 <alice@example.com>: Recipient address rejected: User unknown in local recipient table',
  '550-5.1.1 The account does not exist. Check for typos\r\n550-5.1.1 or spaces.\r\n550 5.1.1 See our help',
  '550-There is no such user\r\n550 5.1.1 here',
  '554 5.1.2 no such domain',
  '553 5.1.3 this is no address',
  '551 5.1.6 moved away',
  '556 5.1.10 the domain takes no mail',
  '550 5.2.1 the mailbox is disabled',
]

for (const reply of NO_MAILBOX) {
  for (const pipelined of [false, true]) {
    test(`${JSON.stringify(reply)} to RCPT${pipelined ? ', pipelined,' : ''} refuses the recipient`, async (t) => {
      const transport = transportTo(t, await scripted(t, 'RCPT', reply, pipelined))

      const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: RecipientSuppressed })

      t.regex(error.reply!, /^smtp RCPT 55\d 5\.[12]\.\d+$/)
      assertDiscreet(t, error)
    })
  }
}

const NOTHING_ABOUT_THE_MAILBOX: readonly (readonly [Stage, string])[] = [
  ['RCPT', '550 Unrouteable address'],
  ['RCPT', '550 Invalid recipient: <alice@example.com>'],
  ['RCPT', '550 #5.1.1 no such user'],
  ['RCPT', '550 no such user (5.1.1)'],
  ['RCPT', '550 5.1.0 address rejected'],
  ['RCPT', '550 5.1.4 ambiguous'],
  ['RCPT', '552 5.2.2 mailbox full'],
  ['RCPT', '550 5.2.10 something new'],
  ['RCPT', '550 5.1.11 something new'],
  ['RCPT', '550 15.1.1 no status'],
  ['RCPT', '554 5.4.1 no answer from the host'],
  // The class of the status contradicts the reply.
  ['RCPT', '550 4.1.1 not now'],
  ['RCPT', '550 2.1.1 well'],
  // Two lines that contradict each other.
  ['RCPT', '550-5.1.1 no such user\r\n550 5.3.0 or something else'],
  ['RCPT', '550-5.2.2 full\r\n550 5.2.1 or disabled'],
  ['DATA', '554 5.1.1 no valid recipients'],
  ['content', '554 5.1.1 no such user'],
  ['content', '550 5.2.1 the mailbox is disabled'],
]

for (const [stage, reply] of NOTHING_ABOUT_THE_MAILBOX) {
  test(`${JSON.stringify(reply)} to ${stage} refuses the mail, and says nothing of its recipient`, async (t) => {
    const transport = transportTo(t, await scripted(t, stage, reply))

    const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailRefused })

    t.is(error.constructor, MailRefused)
  })
}

const FOR_NOW: readonly (readonly [Stage, Reply])[] = [
  ['connect', '554 5.7.1 your address is blocked, alice@example.com'],
  ['connect', '421 too many connections'],
  ['connect', 'HTTP/1.1 400 Bad Request'],
  ['AUTH', '535 5.7.8 wrong credentials'],
  ['AUTH', '454 4.7.0 not now'],
  ['MAIL', '550 5.1.8 sender no-reply@bank.example not allowed'],
  ['MAIL', '530 5.7.0 authentication required'],
  ['MAIL', '452 4.3.1 no room'],
  ['RCPT', '450 4.2.1 <alice@example.com>: greylisted'],
  ['RCPT', '550 5.7.1 <alice@example.com>: relaying denied'],
  ['RCPT', '530 authentication required'],
  ['RCPT', '504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname'],
  ['RCPT', '501 5.5.2 <[127.0.0.1]>: Helo command rejected: Invalid name'],
  ['RCPT', '550 <pod-7d9f>: HELO argument does not resolve'],
  ['RCPT', '550 5.1.8 <no-reply@bank.example>: Sender address rejected: Domain not found'],
  ['RCPT', '553 5.1.7 bad sender'],
  ['RCPT', '450 5.1.1 not now'],
  ['RCPT', '550-5.1.1 <alice@example.com>: no such user\r\n550 5.7.1 or relaying denied'],
  ['RCPT', '550 5.1.1 <alice@example.com>: Sender address rejected'],
  ['RCPT', '503 5.1.1 no sequence'],
  ['MAIL', '550 5.1.1 <no-reply@bank.example>: no such user'],
  ['RCPT', '550 Sender verify failed'],
  ['RCPT', '550 relaying denied'],
  ['RCPT', '554 Relay access not permitted'],
  ['RCPT', '550 Must issue a STARTTLS command first'],
  ['RCPT', '503 bad sequence of commands'],
  ['RCPT', '421 shutting down'],
  ['DATA', '451 not now'],
  ['content', '451 4.3.0 not now'],
  ['content', '550 5.7.26 unauthenticated mail from bank.example'],
  ...(['connect', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA'] as const).flatMap((stage) =>
    (['SILENCE', 'RESET', 'TRICKLE'] as const).map((reply) => [stage, reply] as const),
  ),
]

/** Even a busy machine gets as far as the content, and its reply, by then. */
const LONG_ENOUGH_IN_MS = 3000

for (const reply of ['SILENCE', 'RESET', 'TRICKLE', 'no reply code'] as const) {
  test(`a mail may have gone out after ${reply} to content`, async (t) => {
    const timeoutInMs = LONG_ENOUGH_IN_MS
    const transport = transportTo(t, await scripted(t, 'content', reply), { timeoutInMs })

    const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailOutcomeUnknown })

    assertDiscreet(t, error, 'password', 'bank')
  })
}

for (const [stage, reply] of FOR_NOW) {
  test(`a mail is only unavailable after ${JSON.stringify(reply)} to ${stage}`, async (t) => {
    const timeoutInMs = ['SILENCE', 'TRICKLE'].includes(reply) ? 300 : LONG_ENOUGH_IN_MS
    const transport = transportTo(t, await scripted(t, stage, reply), { timeoutInMs })

    const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })

    t.is(error.constructor, MailUnavailable)
    assertDiscreet(t, error, 'password', 'bank')
  })
}

test('a server that hangs up before it greets is tried twice, not more', async (t) => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo

  await t.throwsAsync(transportTo(t, `smtp://127.0.0.1:${port}`).send(otpMail()), {
    instanceOf: MailUnavailable,
    message: /ECONNECTION/,
  })
  t.is(connections, 2)
})

test('a server that is not there makes the mail unavailable', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')

  await t.throwsAsync(transportTo(t, `smtp://127.0.0.1:${port}`).send(otpMail()), {
    instanceOf: MailUnavailable,
  })
})

// Configuration

for (const url of [
  'secret',
  'http://localhost',
  'smtp:///secret',
  'smtp://user:secret@host:587/?requireTLS=false',
  'smtp://user:secret@host:587?tls.rejectUnauthorized=false',
  'smtp://user:secret@host/path',
  'smtp://user:secret@host#x',
  'smtp://user:secret%zz@host',
]) {
  test(`${url} is no URL of an SMTP server, and not repeated in the error`, (t) => {
    const error = t.throws(() => new SmtpMailTransport({ url, from: FROM }), { instanceOf: TypeError })

    assertDiscreet(t, error, 'secret')
  })
}

for (const from of [
  '',
  'Countersign',
  'a@bank.example, b@bank.example',
  'group: a@bank.example;',
  'a@b@bank.example',
]) {
  test(`${JSON.stringify(from)} is no sender`, (t) => {
    t.throws(() => new SmtpMailTransport({ url: 'smtp://localhost', from }), { instanceOf: TypeError })
  })
}

for (const [from, address] of [
  ['no-reply@localhost', 'no-reply@localhost'],
  ['"Bank, the" <no-reply@bank.example>', 'no-reply@bank.example'],
] as const) {
  test(`${from} sends as ${address}`, async (t) => {
    const { arrivals, port } = await inbox(t)

    await transportTo(t, `smtp://localhost:${port}`, { from }).send(otpMail())

    t.is(arrivals[0]?.envelope.from, address)
  })
}

const ID = '0197a000-0000-7000-8000-0000000000c1'
const OF_BRAND = {
  from: '"Bank B, Süd" <no-reply@b.example>',
  replyTo: 'help@b.example',
  bounceDomain: 'bounces.b.example',
}

test('a mail with a sender of its own comes from there, over the same connection as the others', async (t) => {
  let connections = 0
  const { arrivals, port } = await inbox(t, {
    onConnect: (_session, done) => {
      connections++
      done()
    },
  })
  const transport = transportTo(t, `smtp://127.0.0.1:${port}`, { replyTo: 'help@bank.example' })
  const message = otpMail({ sender: OF_BRAND })

  const { messageId } = await transport.send(message)
  await transport.send(otpMail())
  await transport.send({ ...message, sender: { ...OF_BRAND, replyTo: undefined } })

  const [branded, plain, unanswered] = arrivals as [Arrival, Arrival, Arrival]
  t.is(branded.mail.from?.text, '"Bank B, Süd" <no-reply@b.example>')
  t.is(branded.mail.replyTo?.text, 'help@b.example')
  t.is(branded.envelope.from, 'no-reply@b.example')
  t.is(messageId, `<${message.id}@b.example>`)
  t.is(plain.mail.from?.text, '"Countersign" <no-reply@bank.example>')
  t.is(plain.mail.replyTo?.text, 'help@bank.example')
  t.is(plain.envelope.from, 'no-reply@bank.example')
  t.is(unanswered.mail.replyTo, undefined)
  t.is(connections, 1)
})

test('notices of a mail with a code go to the domain of its sender, and those of other mails to the sender', async (t) => {
  const { arrivals, port } = await inbox(t)
  const bounceAddresses = new PlainBounceAddresses('bounces.bank.example')
  const transport = transportTo(t, `smtp://127.0.0.1:${port}`, { bounceAddresses })

  await transport.send(otpMail({ id: ID, sender: OF_BRAND }))
  await transport.send(otpMail({ id: ID, sender: { ...OF_BRAND, bounceDomain: undefined } }))
  await transport.send(otpMail({ sender: OF_BRAND, kind: 'lock-notice' }))

  t.deepEqual(
    arrivals.map(({ envelope }) => envelope.from),
    [
      bounceAddresses.of(ID, 'bounces.b.example'),
      bounceAddresses.of(ID, 'bounces.bank.example'),
      'no-reply@b.example',
    ],
  )
})

test('each mail is signed with the first key of the domain of its sender, or with none', async (t) => {
  const { arrivals, port } = await inbox(t)
  const [a, b, later] = ['mail2026', 'codes', 'later'].map((selector) => newDkimKey(selector)) as [
    DkimKey,
    DkimKey,
    DkimKey,
  ]
  const records: Record<string, string> = {
    'mail2026._domainkey.bank.example': recordOf(a),
    'codes._domainkey.b.example': recordOf(b),
  }
  const transport = transportTo(t, `smtp://127.0.0.1:${port}`, {
    dkimKeys: [
      { ...a, domain: 'bank.example' },
      { ...b, domain: 'b.example' },
      { ...later, domain: 'b.example' },
    ],
  })
  const from = (address: string) => ({ sender: { from: address, replyTo: undefined } })
  await transport.send(otpMail())
  await transport.send(otpMail(from('no-reply@B.example')))
  await transport.send(otpMail(from('no-reply@c.example')))

  const signers = arrivals.map(async ({ raw }) => {
    const { results } = await dkimVerify(Buffer.from(raw, 'latin1'), {
      resolver: async (name) => (records[name] ? [[records[name]]] : []),
    })
    return results.map(({ status, signingDomain }) => `${signingDomain} ${status.result} ${status.aligned}`)
  })
  t.deepEqual(await Promise.all(signers), [
    ['bank.example pass bank.example'],
    ['b.example pass b.example'],
    ['undefined none undefined'],
  ])
})
