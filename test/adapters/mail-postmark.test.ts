import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { Errors } from 'postmark'
import { forSdk, postmarkFailure } from '../../src/adapters/mail-postmark/postmark-failure.ts'
import { PostmarkMailTransport } from '../../src/adapters/mail-postmark/postmark-mail-transport.ts'
import {
  MailOutcomeUnknown,
  MailRefused,
  MailUnavailable,
  RecipientSuppressed,
} from '../../src/application/ports/mail-transport.ts'
import { assertDiscreet, mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { ALICE } from '../domain/examples.ts'
import { selfSignedCertificate } from '../doubles/self-signed-certificate.ts'

const TOKEN = 'c0ffee00-5ec3-4e7a-9d1c-000000000001'
const FROM = 'Countersign <no-reply@bank.example>'

async function serve(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function transportTo(
  apiUrl: string,
  options: { serverToken?: string; timeoutInMs?: number; from?: string; replyTo?: string } = {},
) {
  return new PostmarkMailTransport({
    serverToken: TOKEN,
    apiUrl,
    messageStream: 'codes',
    from: FROM,
    ...options,
  })
}

interface Request {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Readonly<Record<string, unknown>>
}

function respond(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Answers `POST /email` as Postmark's API reference describes it; `state.down` is its maintenance. */
async function postmarkApi(t: ExecutionContext) {
  const requests: Request[] = []
  const state = { down: false }
  const url = await serve(t, async (request, response) => {
    const { method, url, headers } = request
    const body = (await json(request)) as Record<string, unknown>
    if (state.down) return respond(response, 503, { ErrorCode: 100, Message: 'Maintenance' })
    if (method !== 'POST' || url !== '/email') return respond(response, 404, '')
    if (headers['x-postmark-server-token'] !== TOKEN) {
      return respond(response, 401, {
        ErrorCode: 10,
        Message: 'Request does not contain a valid Server token.',
      })
    }
    requests.push({ method, url, headers, body })
    respond(response, 200, {
      To: body.To,
      SubmittedAt: '2030-01-01T12:00:00.0000000+00:00',
      MessageID: randomUUID(),
      ErrorCode: 0,
      Message: 'OK',
    })
  })
  return { requests, state, url }
}

mailTransportContract('postmark', async (t) => {
  const { requests, state, url } = await postmarkApi(t)
  return {
    transport: transportTo(url),
    arrived: async () =>
      requests.map(({ body: { To, Subject, TextBody, HtmlBody } }) => ({
        to: String(To),
        subject: String(Subject),
        text: String(TextBody),
        html: String(HtmlBody),
      })),
    fail: async () => {
      state.down = true
    },
    recover: async () => {
      state.down = false
    },
  }
})

test('a mail goes to one recipient through its stream, untracked, with nothing but a random id beside it', async (t) => {
  const { requests, url } = await postmarkApi(t)
  const message = otpMail()

  const { messageId } = await transportTo(url).send(message)

  const [{ headers, body }] = requests as [Request]
  t.is(headers['x-postmark-server-token'], TOKEN)
  t.deepEqual(body, {
    From: FROM,
    To: ALICE,
    Subject: message.subject,
    TextBody: message.text,
    HtmlBody: message.html,
    MessageStream: 'codes',
    TrackOpens: false,
    TrackLinks: 'None',
    Tag: 'otp',
    Metadata: { issuance: message.id },
    Headers: [
      { Name: 'Auto-Submitted', Value: 'auto-generated' },
      { Name: 'X-Auto-Response-Suppress', Value: 'All' },
      { Name: 'Message-ID', Value: `<${message.id}@bank.example>` },
      { Name: 'X-PM-KeepID', Value: 'true' },
    ],
  })
  t.regex(messageId!, /^[0-9a-f-]{36}$/)
})

test('a mail with a sender of its own comes from there, and answers go where that sender says', async (t) => {
  const { requests, url } = await postmarkApi(t)
  const transport = transportTo(url, { replyTo: 'Bank <help@bank.example>' })
  const sender = { from: '"Bank B, Süd" <no-reply@b.example>', replyTo: 'help@b.example' }
  const message = otpMail({ sender })

  await transport.send(message)
  await transport.send(otpMail({ sender: { ...sender, replyTo: undefined } }))
  await transport.send(otpMail())

  const [branded, unanswered, plain] = requests.map(({ body }) => body)
  t.like(branded, { From: sender.from, ReplyTo: 'help@b.example' })
  t.deepEqual((branded!.Headers as unknown[])[2], { Name: 'Message-ID', Value: `<${message.id}@b.example>` })
  t.is(unanswered?.ReplyTo, undefined)
  t.like(plain, { From: FROM, ReplyTo: 'Bank <help@bank.example>' })
})

test('answers go to the mailbox for them', async (t) => {
  const { requests, url } = await postmarkApi(t)

  await transportTo(url, { replyTo: 'Bank <help@bank.example>' }).send(otpMail())

  t.is(requests[0]?.body.ReplyTo, 'Bank <help@bank.example>')
})

test('an error has the answer in codes', async (t) => {
  const { state, url } = await postmarkApi(t)

  t.like(await t.throwsAsync(transportTo(url, { serverToken: 'x' }).send(otpMail())), {
    reply: 'postmark 401/10',
  })
  state.down = true
  t.like(await t.throwsAsync(transportTo(url).send(otpMail())), { reply: 'postmark 503/100' })
  t.like(await t.throwsAsync(transportTo('http://127.0.0.1:1').send(otpMail())), {
    reply: 'postmark no answer',
  })
})

test('the mail of a lock notice has a tag of its own, and nothing that leads to an issuance', async (t) => {
  const { requests, url } = await postmarkApi(t)
  const message = otpMail({ kind: 'lock-notice' })

  await transportTo(url).send(message)

  const [{ body }] = requests as [Request]
  t.is(body.Tag, 'lock-notice')
  t.deepEqual(body.Metadata, { notice: message.id })
})

test('an API under a path is called under that path', async (t) => {
  const paths: (string | undefined)[] = []
  const url = await serve(t, (request, response) => {
    paths.push(request.url)
    respond(response, 200, { ErrorCode: 0, MessageID: 'm-1' })
  })

  await transportTo(`${url}/postmark/`).send(otpMail())

  t.deepEqual(paths, ['/postmark/email'])
})

for (const status of [301, 302, 303, 307, 308]) {
  test(`a ${status} is not followed: neither token nor mail go where it points`, async (t) => {
    const led: string[] = []
    const elsewhere = await serve(t, (request, response) => {
      led.push(`${request.method} ${request.url}`)
      respond(response, 200, { ErrorCode: 0, MessageID: 'led astray' })
    })
    const url = await serve(t, (_request, response) => respond(response, status, '', { Location: elsewhere }))

    await t.throwsAsync(transportTo(url).send(otpMail()), {
      instanceOf: MailUnavailable,
      message: new RegExp(`HTTP ${status}`),
    })
    t.deepEqual(led, [])
  })
}

const INACTIVE =
  'You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: alice@example.com.'

const INACTIVE_ANSWER = { ErrorCode: 406, Message: INACTIVE }

/** Of an inactive recipient no further mail will be taken either. */
const FOR_GOOD: readonly (readonly [number, unknown])[] = [
  [422, INACTIVE_ANSWER],
  [406, INACTIVE_ANSWER],
  [200, INACTIVE_ANSWER],
  [422, { ErrorCode: 300, Message: "Error parsing 'To': Illegal email address 'alice@example.com'." }],
  [200, { ErrorCode: 300, Message: 'Invalid email request' }],
]

for (const [status, body] of FOR_GOOD) {
  test(`a mail is refused for good by ${status} ${JSON.stringify(body)}`, async (t) => {
    const url = await serve(t, (_request, response) => respond(response, status, body))

    const error = await t.throwsAsync(transportTo(url).send(otpMail()), { instanceOf: MailRefused })

    t.regex(error.message, new RegExp(`HTTP ${status}, ErrorCode (300|406)`))
    t.is(error instanceof RecipientSuppressed, body === INACTIVE_ANSWER)
    assertDiscreet(t, error, TOKEN)
  })
}

const FOR_NOW: readonly (readonly [number, unknown])[] = [
  [401, { ErrorCode: 10, Message: 'Request does not contain a valid Server token.' }],
  [422, { ErrorCode: 400, Message: "The 'From' address no-reply@bank.example is not a Sender Signature" }],
  [422, { ErrorCode: 401, Message: 'The sender signature is not confirmed' }],
  [422, { ErrorCode: 405, Message: 'Not allowed to send: out of credits' }],
  [422, { ErrorCode: 412, Message: 'Pending: alice@example.com has another domain than the sender' }],
  [422, { ErrorCode: 413, Message: 'This account may not send' }],
  [422, { ErrorCode: 1235, Message: 'The stream provided was not found' }],
  [422, { ErrorCode: 'alice@example.com', Message: 'a code that is none' }],
  [429, { ErrorCode: 429, Message: 'Too many requests' }],
  [500, { ErrorCode: 500, Message: 'Internal' }],
  [503, { ErrorCode: 100, Message: 'Maintenance' }],
  [503, 'null'],
  [502, { ErrorCode: 100, Message: 'Maintenance' }],
  [404, ''],
  [200, { ErrorCode: 405, MessageID: 'm-1' }],
]

const UNKNOWN: readonly (readonly [number, unknown])[] = [
  [502, '<html>Bad Gateway</html>'],
  [504, '<html>Gateway Timeout</html>'],
  [422, { ErrorCode: 406, Message: { to: 'alice@example.com' } }],
  [200, ''],
  [200, 'null'],
  [200, '<html>Please log in</html>'],
  [200, {}],
  [200, []],
  [200, { ErrorCode: 0, Message: 'OK' }],
  [200, { ErrorCode: 0, MessageID: '', Message: 'OK' }],
  [200, { ErrorCode: '0', MessageID: 'm-1' }],
  [200, { MessageID: 'm-1' }],
  [202, '{"__proto__":{"ErrorCode":0,"MessageID":"m-1"}}'],
]

for (const [status, body] of FOR_NOW) {
  test(`a mail is only unavailable after ${status} ${JSON.stringify(body)}`, async (t) => {
    const url = await serve(t, (_request, response) => respond(response, status, body))

    const error = await t.throwsAsync(transportTo(url).send(otpMail()), { instanceOf: MailUnavailable })

    t.is(error.constructor, MailUnavailable)
    assertDiscreet(t, error, TOKEN, 'no-reply')
  })
}

for (const [status, body] of UNKNOWN) {
  test(`a mail may have gone out after ${status} ${JSON.stringify(body)}`, async (t) => {
    const url = await serve(t, (_request, response) => respond(response, status, body))

    const error = await t.throwsAsync(transportTo(url).send(otpMail()), { instanceOf: MailOutcomeUnknown })

    assertDiscreet(t, error, TOKEN)
  })
}

const FLOOD = Buffer.alloc(65_536, 'x')

const BROKEN: Readonly<Record<string, RequestListener>> = {
  'no answer': () => {},
  'an answer that never ends': (_request, response) => {
    response.writeHead(200).write('{"ErrorCode":0,"MessageID":"m-1"')
  },
  'a reset before the answer': (request) => request.socket.resetAndDestroy(),
  'a reset in the answer': (request, response) => {
    response.writeHead(200, { 'Content-Length': 100 })
    response.write('{"ErrorCode":0,"MessageID":"m-1"}', () => request.socket.resetAndDestroy())
  },
  'an answer cut short': (request, response) => {
    response.writeHead(200, { 'Content-Length': 100 })
    response.write('{"ErrorCode":0,"MessageID":"m-1"}', () => request.socket.end())
  },
  'an answer that is no HTTP': (request) => request.socket.end('220 smtp.example ready\r\n'),
}

for (const [answer, listener] of Object.entries(BROKEN)) {
  test(`a mail may have gone out after ${answer}`, async (t) => {
    const transport = transportTo(await serve(t, listener), { timeoutInMs: 200 })

    const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailOutcomeUnknown })

    assertDiscreet(t, error, TOKEN)
  })
}

test('an answer without end is not read to its end, and the mail may have gone out', async (t) => {
  let written = 0
  const url = await serve(t, (_request, response) => {
    response.writeHead(200).write('{"ErrorCode":0,"MessageID":"m-1","Message":"')
    const flood = () => {
      do written += FLOOD.length
      while (!response.destroyed && response.write(FLOOD))
    }
    response.on('drain', flood)
    flood()
  })

  await t.throwsAsync(transportTo(url).send(otpMail()), { instanceOf: MailOutcomeUnknown })

  // Some of it was on its way when the connection ended.
  t.true(written < 32 * 2 ** 20, `${written} bytes`)
})

test('a mail has not gone out to a server that is not there, has no address, or whose certificate does not verify', async (t) => {
  const requests: unknown[] = []
  const impostor = createTlsServer(selfSignedCertificate('localhost'), (request) =>
    requests.push(request.url),
  )
  impostor.listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  t.teardown(() => impostor.close())
  const { port } = impostor.address() as AddressInfo
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port: nobodys } = gone.address() as AddressInfo
  gone.close()
  await once(gone, 'close')

  for (const url of [
    `https://localhost:${port}`,
    `http://127.0.0.1:${nobodys}`,
    `http://localhost:${nobodys}`,
    'https://postmark.invalid',
  ]) {
    const error = await t.throwsAsync(transportTo(url).send(otpMail()), { instanceOf: MailUnavailable })
    t.is(error.constructor, MailUnavailable, url)
    assertDiscreet(t, error, TOKEN)
  }
  t.deepEqual(requests, [])
})

test('a mail has not gone out to a server none of whose addresses accepts a connection', (t) => {
  const refused = Object.assign(new Error(), { syscall: 'connect', code: 'ECONNREFUSED' })
  const failed = new TypeError('fetch failed', { cause: new AggregateError([refused, refused]) })

  const { message } = forSdk(failed) as Error

  t.is(postmarkFailure(new Errors.PostmarkError(message)).constructor, MailUnavailable)
})

test('an ill-formed token is not repeated in the error', async (t) => {
  const { requests, url } = await postmarkApi(t)

  const error = await t.throwsAsync(
    transportTo(url, { serverToken: 'secret\r\nX-Other: 1' }).send(otpMail()),
    { instanceOf: MailUnavailable },
  )

  assertDiscreet(t, error, 'secret')
  t.deepEqual(requests, [])
})

for (const from of ['', 'Countersign', 'no-reply@', 'no-reply@bank.example>, x']) {
  test(`${JSON.stringify(from)} is no sender`, (t) => {
    t.throws(() => transportTo('https://api.postmarkapp.com', { from }), { instanceOf: TypeError })
  })
}

for (const apiUrl of [
  'http://api.postmarkapp.com',
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'ftp://localhost',
  'postmark',
]) {
  test(`${apiUrl} is no URL that a token may travel to`, (t) => {
    t.throws(() => transportTo(apiUrl), { instanceOf: TypeError })
  })
}

for (const apiUrl of ['https://api.postmarkapp.com', 'http://localhost:8080', 'http://[::1]:8080']) {
  test(`${apiUrl} is a URL that a token may travel to`, (t) => {
    t.notThrows(() => transportTo(apiUrl))
  })
}
