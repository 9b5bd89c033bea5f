import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { PostmarkCheck } from '../../src/adapters/mail-postmark/postmark-check.ts'
import { SmtpCheck } from '../../src/adapters/mail-smtp/smtp-check.ts'
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

test('an SMTP server that accepts the login is well, and is sent nothing', async (t) => {
  const { commands, port } = await smtpServer(t, {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
  })

  const [finding] = await examinedSmtp(`smtp://countersign:pass%40word@127.0.0.1:${port}`)

  t.like(finding, { name: 'mail-smtp', level: 'ok' })
  t.regex(
    finding!.found,
    /without TLS, on this machine, it accepts the login; the sender is at bank\.example$/,
  )
  t.deepEqual(commands, [])
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
  t.regex(refused?.found ?? '', /EAUTH, 535/)
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
