import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { AccessToken, TokenUnavailable } from '../../src/adapters/mail-smtp/client-credentials.ts'
import { ehloName } from '../../src/adapters/mail-smtp/ehlo-name.ts'
import { SmtpCheck } from '../../src/adapters/mail-smtp/smtp-check.ts'
import { SmtpMailTransport } from '../../src/adapters/mail-smtp/smtp-mail-transport.ts'
import type { SmtpOptions } from '../../src/adapters/mail-smtp/smtp-options.ts'
import { MailUnavailable } from '../../src/application/ports/mail-transport.ts'
import { assertDiscreet, otpMail } from '../contracts/mail-transport.contract.ts'
import { resultsOf } from '../support/check-results.ts'

const FROM = 'Countersign <no-reply@bank.example>'
const MAILBOX = 'no-reply@bank.example'
const SECRET = 'client~secret&1'
const SCOPE = 'https://outlook.office365.com/.default'

/** A token endpoint. Issues `token-1`, `token-2` … */
async function tokenEndpoint(
  t: ExecutionContext,
  options: { status?: number; body?: object; expiresIn?: unknown } = {},
) {
  const requests: URLSearchParams[] = []
  const endpoint = createServer((request, response) => {
    let form = ''
    request.on('data', (chunk) => {
      form += chunk
    })
    request.on('end', () => {
      requests.push(new URLSearchParams(form))
      response.writeHead(options.status ?? 200, {
        'Content-Type': 'application/json',
        Location: '/elsewhere',
      })
      const { expiresIn = 3600 } = options
      const token = { access_token: `token-${requests.length}`, token_type: 'Bearer', expires_in: expiresIn }
      response.end(JSON.stringify(options.body ?? token))
    })
  }).listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  t.teardown(() => {
    endpoint.close()
    endpoint.closeAllConnections()
  })
  const tokenUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`
  return { requests, options, client: { tokenUrl, clientId: 'mailer', clientSecret: SECRET, scope: SCOPE } }
}

/** An SMTP server that takes mails from those who log in with a token that it knows, and has no other login. */
async function tokenServer(t: ExecutionContext, options: SMTPServerOptions & { explains?: boolean } = {}) {
  const tokens = new Set<string>()
  const logins: string[] = []
  const mails: (string | undefined)[] = []
  const greetings: string[] = []
  const { explains = false, ...rest } = options
  const server = new SMTPServer({
    authMethods: ['XOAUTH2'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onAuth: ({ username, accessToken }, _session, done) => {
      logins.push(`${username} ${accessToken}`)
      if (username === MAILBOX && tokens.has(accessToken ?? '')) return done(null, { user: username })
      // RFC 4954 lets a server explain in a challenge, as Google does. Microsoft refuses at once.
      return explains
        ? done(null, { data: { status: '401', schemes: 'bearer', scope: 'mail' } })
        : done(
            Object.assign(new Error(`5.7.3 Authentication unsuccessful ${accessToken}`), {
              responseCode: 535,
            }),
          )
    },
    onMailFrom: (_address, session, done) => {
      greetings.push(session.hostNameAppearsAs)
      done(null)
    },
    onData: (stream, session, done) => {
      stream.resume().on('end', () => {
        mails.push(session.user as unknown as string | undefined)
        done(null)
      })
    },
    ...rest,
  })
  server.on('error', () => {})
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  const { port } = listening.address() as AddressInfo
  return {
    tokens,
    logins,
    mails,
    greetings,
    url: `smtp://${encodeURIComponent(MAILBOX)}@127.0.0.1:${port}`,
    port,
  }
}

function transportTo(t: ExecutionContext, options: Omit<SmtpOptions, 'from'>) {
  const transport = new SmtpMailTransport({ from: FROM, ...options })
  t.teardown(() => transport.close())
  return transport
}

// XOAUTH2

test('a server that takes tokens only gets one by client credentials, and the mail', async (t) => {
  const endpoint = await tokenEndpoint(t)
  const { tokens, logins, mails, url } = await tokenServer(t)
  tokens.add('token-1')

  await transportTo(t, { url, oauth: endpoint.client }).send(otpMail())

  t.deepEqual(logins, [`${MAILBOX} token-1`])
  t.deepEqual(mails, [MAILBOX])
  t.deepEqual(Object.fromEntries(endpoint.requests[0]!), {
    grant_type: 'client_credentials',
    client_id: 'mailer',
    client_secret: SECRET,
    scope: SCOPE,
  })
})

test('a server that takes passwords too is given the token', async (t) => {
  const endpoint = await tokenEndpoint(t)
  const { tokens, logins, url } = await tokenServer(t, { authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2'] })
  tokens.add('token-1')

  await transportTo(t, { url, oauth: endpoint.client }).send(otpMail())

  t.deepEqual(logins, [`${MAILBOX} token-1`])
})

test('parallel connections share one token', async (t) => {
  const endpoint = await tokenEndpoint(t)
  const { tokens, logins, url } = await tokenServer(t)
  tokens.add('token-1')
  const transport = transportTo(t, { url, oauth: endpoint.client })

  await Promise.all(Array.from({ length: 8 }, () => transport.send(otpMail())))

  t.true(logins.length > 1)
  t.is(endpoint.requests.length, 1)
})

for (const explains of [false, true]) {
  test(`a revoked token is replaced within one send, ${explains ? 'after an explanation' : 'after a plain 535'}`, async (t) => {
    const endpoint = await tokenEndpoint(t)
    const { tokens, mails, logins, url } = await tokenServer(t, { explains, socketTimeout: 400 })
    tokens.add('token-1')
    const transport = transportTo(t, { url, oauth: endpoint.client })
    await transport.send(otpMail())
    // The server drops the connection, so that the next mail needs a login.
    await new Promise((resolve) => setTimeout(resolve, 900))

    tokens.clear()
    tokens.add('token-2')
    await transport.send(otpMail())

    t.is(mails.length, 2)
    t.deepEqual(logins, [`${MAILBOX} token-1`, `${MAILBOX} token-1`, `${MAILBOX} token-2`])
  })

  test(`a token that was never taken is not replaced: the client lacks a right${explains ? ', which the server explains' : ''}`, async (t) => {
    const endpoint = await tokenEndpoint(t)
    const { logins, url } = await tokenServer(t, { explains })
    const transport = transportTo(t, { url, oauth: endpoint.client })

    for (let count = 0; count < 3; count++) {
      const error = await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })
      t.regex(error.message, /EAUTH, 535/)
      t.regex(error.reply!, /^smtp AUTH 535/)
      assertDiscreet(t, error, 'token-', SECRET, MAILBOX)
    }

    t.is(endpoint.requests.length, 1)
    t.is(logins.length, 3)
  })
}

for (const [what, options, reply] of [
  [
    'refuses the client',
    { status: 401, body: { error: 'invalid_client', error_description: SECRET } },
    '401 invalid_client',
  ],
  ['refuses with a text of its own', { status: 400, body: { error: `bad ${SECRET}` } }, '400'],
  ['redirects', { status: 307 }, '307'],
  ['is down', { status: 503, body: {} }, '503'],
  ['answers without a token', { body: { token_type: 'Bearer' } }, '200 without a token'],
  [
    'issues a token of another type',
    { body: { access_token: 'a', token_type: 'mac' } },
    '200 without a token',
  ],
  [
    'issues a token with a line feed',
    { body: { access_token: 'a\r\nRSET', token_type: 'Bearer' } },
    '200 without a token',
  ],
] as const) {
  test(`a token endpoint that ${what} leaves the mail for later, and is named in the error`, async (t) => {
    const endpoint = await tokenEndpoint(t, options)
    const { logins, url } = await tokenServer(t)

    const error = await t.throwsAsync(transportTo(t, { url, oauth: endpoint.client }).send(otpMail()), {
      instanceOf: MailUnavailable,
    })

    t.is(error.message, `The token endpoint issued no token (${reply})`)
    t.is(error.reply, `smtp token ${reply}`)
    assertDiscreet(t, error, SECRET, MAILBOX)
    t.deepEqual(logins, [])
  })
}

test('a token endpoint that cannot be reached leaves the mail for later', async (t) => {
  const { client } = await tokenEndpoint(t)
  const { url } = await tokenServer(t)
  const oauth = { ...client, tokenUrl: 'http://127.0.0.1:1/' }

  const error = await t.throwsAsync(transportTo(t, { url, oauth }).send(otpMail()), {
    instanceOf: MailUnavailable,
  })

  t.is(error.message, 'The token endpoint issued no token (no answer)')
})

test('a token is kept until shortly before its end', async (t) => {
  const { client, requests } = await tokenEndpoint(t, { expiresIn: '3600' })
  let now = 0
  const token = new AccessToken(client, () => now)

  t.is(await token.get(), 'token-1')
  now = 3_539_999
  t.is(await token.get(), 'token-1')
  now = 3_540_000
  t.is(await token.get(), 'token-2')
  t.is(requests.length, 2)
})

for (const [expiresIn, usableInMs] of [
  [60, 30_000],
  [undefined, 240_000],
  ['soon', 240_000],
] as const) {
  test(`a token of ${expiresIn} s is kept for ${usableInMs} ms`, async (t) => {
    const body = {
      access_token: 'a',
      token_type: 'Bearer',
      ...(expiresIn !== undefined && { expires_in: expiresIn }),
    }
    const { client, requests } = await tokenEndpoint(t, { body })
    let now = 0
    const token = new AccessToken(client, () => now)

    await token.get()
    now = usableInMs - 1
    await token.get()
    t.is(requests.length, 1)
    now = usableInMs
    await token.get()
    t.is(requests.length, 2)
  })
}

test('a token endpoint that failed is left alone for five seconds', async (t) => {
  const { client, requests, options } = await tokenEndpoint(t, { status: 503, body: {} })
  let now = 0
  const token = new AccessToken(client, () => now)

  await t.throwsAsync(token.get(), { instanceOf: TokenUnavailable })
  now = 4999
  await t.throwsAsync(token.get(), { instanceOf: TokenUnavailable })
  t.is(requests.length, 1)

  now = 5000
  options.status = 200
  delete options.body
  t.is(await token.get(), 'token-2')
})

test('a refused token is forgotten if it was taken once or is a minute old, and only if it is the current one', async (t) => {
  const { client } = await tokenEndpoint(t)
  let now = 0
  const token = new AccessToken(client, () => now)

  const first = await token.get()
  token.refuse(first)
  t.is(await token.get(), first)
  now = 60_000
  token.refuse(first)
  const second = await token.get()
  t.not(second, first)
  token.accept(first)
  token.refuse(first)
  token.refuse(second)
  t.is(await token.get(), second)
  token.accept(second)
  token.refuse(second)
  t.not(await token.get(), second)
})

test('a URL without a mailbox is no login by token', (t) => {
  const oauth = { tokenUrl: 'https://login.example/token', clientId: 'mailer', clientSecret: SECRET }

  const error = t.throws(() => new SmtpMailTransport({ from: FROM, url: 'smtp://relay.example', oauth }), {
    instanceOf: TypeError,
    message: /must name the mailbox/,
  })
  assertDiscreet(t, error, SECRET)
})

test('the check logs in with a token, and has a remedy for a client, an endpoint and a permission that are wrong', async (t) => {
  const endpoint = await tokenEndpoint(t)
  const { tokens, url } = await tokenServer(t)
  const check = async (oauth = endpoint.client) =>
    (await resultsOf(new SmtpCheck({ url, from: FROM, oauth })))[0]

  const refused = await check()
  t.like(refused, { level: 'failed' })
  t.regex(refused!.remedy!, /SMTP\.SendAsApp/)
  t.notRegex(JSON.stringify(refused), /token-|secret&1/)

  tokens.add('token-2')
  t.like(await check(), { level: 'ok' })

  endpoint.options.status = 401
  endpoint.options.body = { error: 'invalid_client' }
  t.regex((await check())!.remedy!, /SMTP_OAUTH_CLIENT_SECRET/)
  t.regex(
    (await check({ ...endpoint.client, tokenUrl: 'http://127.0.0.1:1/' }))!.remedy!,
    /SMTP_OAUTH_TOKEN_URL/,
  )
})

// EHLO

for (const [configured, sender, machine, expected] of [
  [undefined, 'bank.example', 'countersign-7d9f4c-x2x9q', 'bank.example'],
  [undefined, 'bank.example', 'mail-1.bank.example', 'mail-1.bank.example'],
  [undefined, 'bank.example', 'ip-10-0-0-7.eu-central-1.compute.internal', 'bank.example'],
  [undefined, 'bank.example', 'localhost.localdomain', 'bank.example'],
  [undefined, 'bank.example', 'Erikas-MacBook.local', 'bank.example'],
  [undefined, 'bank.example', 'printer.home.arpa', 'bank.example'],
  [undefined, 'bank.example', '10.0.0.7', 'bank.example'],
  [undefined, 'bank.example', 'my_host.bank.example', 'bank.example'],
  [undefined, 'bank.example', '', 'bank.example'],
  [undefined, 'localhost', 'laptop', undefined],
  ['[192.0.2.1]', 'bank.example', 'mail-1.bank.example', '[192.0.2.1]'],
] as const) {
  test(`on ${machine || 'a machine without a name'}, ${configured ?? 'without a name of its own'}, a mail from ${sender} is sent as ${expected}`, (t) => {
    t.is(ehloName(configured, sender, machine), expected)
  })
}

test('EHLO has the name of the configuration, or one with a domain', async (t) => {
  const { greetings, port } = await tokenServer(t, { authOptional: true })
  const url = `smtp://127.0.0.1:${port}`

  await transportTo(t, { url, ehloName: 'countersign.bank.example' }).send(otpMail())
  await transportTo(t, { url }).send(otpMail())

  t.is(greetings[0], 'countersign.bank.example')
  t.regex(greetings[1]!, /^[a-z0-9-]+\.[a-z0-9.-]+$/i)
})

test('answers go to the mailbox for them, and the envelope has the sender', async (t) => {
  const contents: string[] = []
  const { port } = await tokenServer(t, {
    authOptional: true,
    onData: (stream, _session, done) => {
      let content = ''
      stream.on('data', (chunk: Buffer) => {
        content += chunk
      })
      stream.on('end', () => {
        contents.push(content)
        done(null)
      })
    },
  })

  await transportTo(t, { url: `smtp://127.0.0.1:${port}`, replyTo: 'Bank <help@bank.example>' }).send(
    otpMail(),
  )

  t.regex(contents[0]!, /^Reply-To: Bank <help@bank\.example>\r$/m)
  t.regex(contents[0]!, /^From: Countersign <no-reply@bank\.example>\r$/m)
})
