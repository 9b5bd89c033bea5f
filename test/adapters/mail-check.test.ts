import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { PostmarkCheck } from '../../src/adapters/mail-postmark/postmark-check.ts'
import { postmarkRemedyOf } from '../../src/adapters/mail-postmark/postmark-remedies.ts'
import { SmtpCheck } from '../../src/adapters/mail-smtp/smtp-check.ts'
import { smtpRemedyOf } from '../../src/adapters/mail-smtp/smtp-remedies.ts'
import type { BounceAddresses } from '../../src/contracts/bounce-addresses.ts'
import type { Sender } from '../../src/domain/brand.ts'
import { PlainBounceAddresses } from '../doubles/plain-bounce-addresses.ts'
import { selfSignedCertificate } from '../doubles/self-signed-certificate.ts'
import { levels, resultsOf } from '../support/check-results.ts'

const FROM = 'Countersign <no-reply@bank.example>'
const TOKEN = 'c0ffee00-5ec3-4e7a-9d1c-000000000001'
/** Reaches this machine, but is no name for it that the transport knows: it stands for every server elsewhere. */
const ELSEWHERE = '0.0.0.0'

async function smtpServer(t: ExecutionContext, options: SMTPServerOptions) {
  const commands: string[] = []
  const server = new SMTPServer({
    disableReverseLookup: true,
    onMailFrom: (_address, _session, done) => {
      commands.push('MAIL FROM')
      done(null)
    },
    onRcptTo: (_address, _session, done) => {
      commands.push('RCPT TO')
      done(null)
    },
    onData: (stream, _session, done) => {
      commands.push('DATA')
      stream.resume().on('end', () => done(null))
    },
    ...options,
  })
  server.on('error', () => {})
  const listening = server.listen(0, ELSEWHERE)
  await once(listening, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  return { commands, port: (listening.address() as AddressInfo).port }
}

const examinedSmtp = (url: string, options: { from?: string; timeoutInMs?: number } = {}) =>
  resultsOf(new SmtpCheck({ url, from: FROM, ...options }))

test('an SMTP server that accepts login and sender is well, and is sent no mail', async (t) => {
  const { commands, port } = await smtpServer(t, {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
  })

  const [finding] = await examinedSmtp(`smtp://countersign:pass%40word@127.0.0.1:${port}`)

  t.like(finding, { name: 'mail-smtp', level: 'ok' })
  t.regex(
    finding!.found,
    /without TLS, on this machine, it accepts the login; EHLO names \S+; the sender is at bank\.example$/,
  )
  t.deepEqual(commands, ['MAIL FROM', 'RCPT TO'])
})

test('an SMTP server that refuses the login is told apart from one that cannot be reached', async (t) => {
  const { port } = await smtpServer(t, {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) =>
      done(Object.assign(new Error('secret@bank.example'), { responseCode: 535 })),
  })

  const [refused] = await examinedSmtp(`smtp://countersign:password@127.0.0.1:${port}`)
  t.is(refused?.level, 'failed')
  t.regex(refused?.found ?? '', /AUTH: 535/)
  t.regex(refused?.remedy ?? '', /user and password in SMTP_URL/)
  t.notRegex(JSON.stringify(refused), /secret@|password@|countersign:/)

  const [away] = await examinedSmtp('smtp://127.0.0.1:1')
  t.is(away?.level, 'failed')
  t.regex(away?.remedy ?? '', /host and port in SMTP_URL/)
})

test('an SMTP server elsewhere that offers no TLS, or a certificate that does not verify, is refused', async (t) => {
  const clear = await smtpServer(t, { authOptional: true, disabledCommands: ['STARTTLS'] })
  const selfSigned = await smtpServer(t, { authOptional: true })

  for (const { port } of [clear, selfSigned]) {
    const [finding] = await examinedSmtp(`smtp://${ELSEWHERE}:${port}`)
    t.is(finding?.level, 'failed', JSON.stringify(finding))
  }
})

test('an SMTP server that says nothing is given up in time', async (t) => {
  const server = createNetServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo

  const [finding] = await examinedSmtp(`smtp://127.0.0.1:${port}`, { timeoutInMs: 100 })

  t.is(finding?.level, 'failed')
})

type Stage = 'connect' | 'EHLO' | 'HELO' | 'AUTH' | 'MAIL' | 'RCPT'

/** Answers one command as it is told, and the others as a server that is well. */
async function scriptedServer(t: ExecutionContext, replies: Partial<Record<Stage, string>>) {
  const proper = { connect: '220 ready', EHLO: '250-ready\r\n250 AUTH PLAIN', AUTH: '235 welcome' }
  const script: Partial<Record<string, string>> = { ...proper, ...replies }
  const lines: string[] = []
  const server = createNetServer((socket) => {
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(`${script.connect}\r\n`)
    createInterface(socket).on('line', (line) => {
      lines.push(line)
      socket.write(`${script[line.slice(0, 4).toUpperCase()] ?? '250 ok'}\r\n`)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { lines, url: `smtp://countersign:password@127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const NO_NAME = '504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname'
const REFUSALS: readonly (readonly [
  replies: Partial<Record<Stage, string>>,
  found: RegExp,
  remedy: RegExp,
])[] = [
  [{ EHLO: '550 who is that', HELO: '550 who is that' }, /EHLO: 550/, /SMTP_EHLO_NAME/],
  [{ EHLO: NO_NAME, HELO: NO_NAME }, /EHLO: 504 5\.5\.2/, /SMTP_EHLO_NAME/],
  [{ MAIL: NO_NAME }, /EHLO: 504 5\.5\.2/, /SMTP_EHLO_NAME/],
  [{ RCPT: NO_NAME }, /EHLO: 504 5\.5\.2/, /SMTP_EHLO_NAME/],
  [{ RCPT: '504 5.5.2 not that name' }, /RCPT: 504/, /SMTP_EHLO_NAME/],
  [{ RCPT: '450 4.7.1 <pod-1>: Helo command rejected: Host not found' }, /EHLO: 450/, /SMTP_EHLO_NAME/],
  [{ MAIL: '550 5.1.8 sender not known' }, /MAIL: 550 5\.1\.8/, /MAIL_FROM/],
  [
    { MAIL: '550 5.7.60 SMTP; Client does not have permissions to send as this sender' },
    /MAIL: 550 5\.7\.60/,
    /MAIL_FROM/,
  ],
  [{ RCPT: '553 5.7.1 <a@b.example>: Sender address rejected: not owned by user' }, /MAIL: 553/, /MAIL_FROM/],
  [{ RCPT: '554 5.7.1 <a@b.example>: Relay access denied' }, /RCPT: 554 5\.7\.1/, /relays no mail/],
  [{ RCPT: '550 relaying denied' }, /RCPT: 550/, /relays no mail/],
  [{ MAIL: '530 5.7.0 Authentication required' }, /MAIL: 530/, /wants a login/],
  [{ MAIL: '530 5.7.0 Must issue a STARTTLS command first' }, /TLS: 530/, /demands encryption/],
  [{ AUTH: '504 5.5.4 Unrecognized authentication type' }, /AUTH: 504/, /XOAUTH2/],
  [
    { AUTH: '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant' },
    /AUTH: 535 5\.7\.139/,
    /SMTP_OAUTH_.*Authenticated SMTP/,
  ],
  [{ AUTH: '535 5.7.3 Authentication unsuccessful' }, /AUTH: 535 5\.7\.3/, /SMTP\.SendAsApp/],
  [
    { AUTH: '535-5.7.8 Username and Password\r\n535 5.7.8 not accepted' },
    /AUTH: 535 5\.7\.8/,
    /user and password in SMTP_URL/,
  ],
  [
    { AUTH: '534-5.7.9 Application-specific\r\n534 5.7.9 password required' },
    /AUTH: 534 5\.7\.9/,
    /app password/,
  ],
  [
    { AUTH: '538 5.7.11 Encryption required for requested authentication mechanism' },
    /AUTH: 538/,
    /over TLS only/,
  ],
  [{ AUTH: '454 4.7.0 Temporary authentication failure' }, /AUTH: 454/, /cannot check logins now/],
  [{ connect: '554 5.7.1 your address is on a list' }, /connection: 554/, /connections from the address/],
  [{ connect: '421 4.7.0 too many connections' }, /connection: 421/, /for now/],
  [{ MAIL: '451 4.3.0 not now' }, /MAIL: 451/, /for now/],
]

for (const [replies, found, remedy] of REFUSALS) {
  test(`the check has a remedy for ${JSON.stringify(replies)}`, async (t) => {
    const { lines, url } = await scriptedServer(t, replies)

    const [finding] = await examinedSmtp(url)

    t.is(finding?.level, 'failed')
    t.regex(finding!.found, found)
    t.regex(finding!.remedy!, remedy)
    t.notRegex(JSON.stringify(finding), /Helo command|password@|a@b/)
    t.false(lines.some((line) => /^DATA/i.test(line)))
  })
}

test('a sender that takes no mail itself is no fault', async (t) => {
  const { lines, url } = await scriptedServer(t, { RCPT: '550 5.1.1 no such user' })

  t.like((await examinedSmtp(url))[0], { level: 'ok' })
  t.true(lines.includes('RSET'))
})

test('each sender of a brand is asked about, and one that is refused is named by its domain', async (t) => {
  const { commands, port } = await smtpServer(t, {
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onMailFrom: ({ address }, _session, done) => {
      commands.push(address)
      done(address.endsWith('@c.example') ? Object.assign(new Error('no'), { responseCode: 553 }) : null)
    },
  })
  const url = `smtp://127.0.0.1:${port}`
  const bounceAddresses = new PlainBounceAddresses('bounces.bank.example')
  const brand = (domain: string, bounceDomain?: string) => ({
    from: `Brand <no-reply@${domain}>`,
    replyTo: undefined,
    bounceDomain,
  })
  const check = (others: Sender[], addresses?: BounceAddresses) =>
    resultsOf(new SmtpCheck({ url, from: FROM, bounceAddresses: addresses }, others))

  const [well] = await check([brand('b.example')])
  t.is(well?.level, 'ok')
  t.regex(well!.found, /the sender is at bank\.example, b\.example$/)

  const [refused] = await check([brand('b.example'), brand('c.example'), brand('d.example')])
  t.is(refused?.level, 'failed')
  t.regex(refused!.found, /for the sender of a brand at c\.example \(MAIL: 553\)/)
  t.regex(refused!.remedy!, /the senders in BRANDS/)

  commands.length = 0
  await check([brand('b.example', 'bounces.b.example'), brand('b.example')], bounceAddresses)
  t.deepEqual(
    commands.filter((command) => command.includes('@')).map((address) => address.split('@')[1]),
    ['bounces.bank.example', 'bounces.b.example', 'bounces.bank.example'],
  )
})

test('a certificate that does not verify has a remedy of its own', async (t) => {
  for (const secure of [true, false]) {
    const { port } = await smtpServer(t, { authOptional: true, secure, ...selfSignedCertificate(ELSEWHERE) })

    const [finding] = await examinedSmtp(`${secure ? 'smtps' : 'smtp'}://${ELSEWHERE}:${port}`)

    t.regex(finding?.found ?? '', /TLS/)
    t.regex(finding?.remedy ?? '', /NODE_EXTRA_CA_CERTS/)
  }
})

test('a reply of the audit trail has the remedy that the check has', (t) => {
  t.regex(smtpRemedyOf('smtp AUTH 535 5.7.139')!, /SMTP_OAUTH_/)
  t.regex(smtpRemedyOf('smtp token 401 invalid_client')!, /SMTP_OAUTH_CLIENT_SECRET/)
  t.regex(smtpRemedyOf('smtp connection ETIMEDOUT')!, /host and port/)
  t.regex(smtpRemedyOf('smtp RCPT 550 5.1.8')!, /MAIL_FROM/)
  t.regex(smtpRemedyOf('smtp RCPT 550 5.1.1')!, /lift the suppression/)
  t.is(smtpRemedyOf('postmark 401/10'), undefined)
  t.regex(postmarkRemedyOf('postmark 401/10')!, /POSTMARK_SERVER_TOKEN/)
  t.regex(postmarkRemedyOf('postmark 422/401')!, /sender signature/)
  t.regex(postmarkRemedyOf('postmark 422/405')!, /credits/)
  t.is(postmarkRemedyOf('smtp AUTH 535'), undefined)
})

test('a URL or a sender that cannot be used is told by its variable', async (t) => {
  const findings = await examinedSmtp('smtp://user:pass%word@127.0.0.1:25/path', {
    from: 'a@b.example, c@d.example',
  })

  t.deepEqual(
    findings.map(({ found }) => found),
    ['SMTP_URL cannot be used', 'MAIL_FROM cannot be used'],
  )
  t.notRegex(JSON.stringify(findings), /pass%word|a@b/)
})

/** Answers as Postmark's API reference describes it. */
async function postmarkApi(
  t: ExecutionContext,
  { server = {}, stream = {} }: { server?: object; stream?: object | null } = {},
) {
  const requests: string[] = []
  const api = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const respond = (status: number, body: object) => answer(response, status, body)
    if (request.headers['x-postmark-server-token'] !== TOKEN) {
      respond(401, { ErrorCode: 10, Message: `No Account or Server API tokens: ${TOKEN}` })
    } else if (request.url === '/server') {
      respond(200, { ID: 1, Name: 'Codes', DeliveryType: 'Live', ...server })
    } else if (request.url === '/message-streams/codes' && stream) {
      respond(200, { ID: 'codes', MessageStreamType: 'Transactional', ArchivedAt: null, ...stream })
    } else respond(422, { ErrorCode: 1226, Message: 'The message stream does not exist.' })
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.teardown(() => {
    api.close()
    api.closeAllConnections()
  })
  return { requests, url: `http://127.0.0.1:${(api.address() as AddressInfo).port}` }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(body))
}

const examinedPostmark = (apiUrl: string, { serverToken = TOKEN, hasWebhook = true } = {}) =>
  resultsOf(new PostmarkCheck({ serverToken, apiUrl, messageStream: 'codes', from: FROM }, hasWebhook))

test('Postmark is asked about server and stream of the token, and is sent no mail', async (t) => {
  const { requests, url } = await postmarkApi(t)

  t.deepEqual(levels(await examinedPostmark(url)), ['mail-postmark ok', 'mail-stream ok', 'mail-reports ok'])
  t.deepEqual(requests, ['GET /server', 'GET /message-streams/codes'])
})

test('a token that Postmark does not know is told so, and is not repeated', async (t) => {
  const { url } = await postmarkApi(t)

  const findings = await examinedPostmark(url, { serverToken: 'c0ffee00-0000-0000-0000-000000000009' })

  t.deepEqual(levels(findings), ['mail-postmark failed'])
  t.regex(findings[0]!.found, /HTTP 401, ErrorCode 10/)
  t.regex(findings[0]!.remedy ?? '', /POSTMARK_SERVER_TOKEN/)
  t.notRegex(JSON.stringify(findings), /c0ffee/)
})

test('a sandbox, an archived stream, one for broadcasts, or none, keeps mails from going out', async (t) => {
  const sandbox = await postmarkApi(t, { server: { DeliveryType: 'Sandbox' } })
  t.is(levels(await examinedPostmark(sandbox.url))[0], 'mail-postmark failed')

  for (const stream of [{ ArchivedAt: '2026-01-01T00:00:00Z' }, { MessageStreamType: 'Broadcasts' }, null]) {
    const { url } = await postmarkApi(t, { stream })
    t.is(levels(await examinedPostmark(url))[1], 'mail-stream failed')
  }
})

test('without a webhook nobody hears of bounces, which is worth a warning', async (t) => {
  const { url } = await postmarkApi(t)

  t.is(levels(await examinedPostmark(url, { hasWebhook: false }))[2], 'mail-reports warning')
})

test('a Postmark that cannot be reached is told so', async (t) => {
  const [finding] = await examinedPostmark('http://127.0.0.1:1')

  t.like(finding, { level: 'failed', found: '127.0.0.1:1 cannot be used (no answer)' })
})
