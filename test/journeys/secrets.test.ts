import {
  createHash,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { json as jsonIn } from 'node:stream/consumers'
import test from 'ava'
import { type JWTPayload, SignJWT } from 'jose'
import { simpleParser } from 'mailparser'
import { generateSync } from 'otplib'
import { SMTPServer } from 'smtp-server'
import { startOtlpReceiver } from '../doubles/otlp-receiver.ts'
import { createTestDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, until, wrongCode } from './client.ts'
import { startProcess } from './service-process.ts'

/*
 * A whole story in production at the level `debug`, with everything going wrong that can, and then a search for each secret that it
 * made: in the log, in the traces, in the metrics, and in every row of the database.
 */

const RULES = { issuer: 'https://login.bank.example', audience: 'countersign' }
const USERS = '/internal/v1/mfa/users'
const CHALLENGES = '/internal/v1/mfa/challenges'
const IBAN = 'DE89370400440532013000'
/** An id that another system made of an address. */
const CAROL = 'carol.by-address@bank.example'

/** What must be nowhere, and what may be in the database only. Both grow as the story goes on. */
const secrets = new Set<string>()
const personal = new Set<string>()

function secret(text: string): string {
  secrets.add(text)
  return text
}

/** Random bytes, in each form that they could be written in. */
function secretBytes(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes)
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    secret(buffer.toString(encoding).replace(/=+$/, ''))
  return buffer
}

const keyOf = (kid: string, bytes: Buffer) => `${kid}:${bytes.toString('base64')}`

test('a whole story leaves no secret in log, traces, metrics and database, and no address outside of the database', async (t) => {
  const closing: (() => unknown)[] = []
  t.teardown(async () => {
    for (const close of closing.toReversed()) await close()
  })
  const listen = async (handler: RequestListener): Promise<string> => {
    const server: Server = createServer(handler).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close().closeAllConnections())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  // The identity provider.
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' }
  const issuer = await listen((_, response) => response.end(JSON.stringify({ keys: [jwk] })))
  const tokenOf = async (claims: JWTPayload, key: KeyObject = privateKey) => {
    const now = Math.floor(Date.now() / 1000)
    const payload = { iss: RULES.issuer, aud: RULES.audience, iat: now, exp: now + 300, ...claims }
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: 'at+jwt' })
      .sign(key)
    secret(token.split('.')[2]!)
    return secret(token)
  }
  const serviceToken = (client: string, scope: string) => tokenOf({ sub: client, client_id: client, scope })
  const crm = await serviceToken('crm', 'mfa:users:write mfa:users:read')
  const payments = await serviceToken(
    'payments',
    'mfa:challenges:create mfa:challenges:consume mfa:audit:read',
  )

  // Two mail systems, which quote what they do not take.
  const issuances = new Map<string, string>()
  const postmarkToken = secret(randomUUID())
  const postmark = await listen(async (request, response) => {
    const { To, Metadata } = (await jsonIn(request)) as { To: string; Metadata: { issuance: string } }
    issuances.set(To, Metadata.issuance)
    const ErrorCode = To.startsWith('inactive') ? 406 : 400
    const Message = `${To} cannot be sent to with ${request.headers['x-postmark-server-token']}`
    response
      .writeHead(422, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ ErrorCode, Message }))
  })
  const mails = new Map<string, string>()
  const smtpPassword = secret(randomBytes(12).toString('hex'))
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      password === smtpPassword ? done(null, { user: username }) : done(new Error('no')),
    onRcptTo: ({ address }, _, done) => {
      const responseCode = address.startsWith('refused') ? 550 : address.startsWith('later') ? 451 : undefined
      done(responseCode && Object.assign(new Error(`<${address}>: not here`), { responseCode }))
    },
    onData: async (stream, { envelope }, done) => {
      const { text = '' } = await simpleParser(stream)
      mails.set(envelope.rcptTo[0]!.address, text)
      done()
    },
  })
  await new Promise<void>((listening) => smtp.listen(0, '127.0.0.1', listening))
  closing.push(() => new Promise<void>((closed) => smtp.close(closed)))
  const { port: smtpPort } = smtp.server.address() as AddressInfo

  // The service.
  const collector = await startOtlpReceiver()
  closing.push(collector.close)
  const { url: databaseUrl } = await createTestDatabase()
  const [otpKey, oldOtpKey, signingKey] = [
    secretBytes(randomBytes(32)),
    secretBytes(randomBytes(32)),
    secretBytes(randomBytes(32)),
  ]
  const webhookPassword = secret(randomBytes(12).toString('hex'))
  const webhookAuth = `postmark:${webhookPassword}`
  secret(Buffer.from(webhookAuth).toString('base64'))
  const collectorKey = secret(randomBytes(12).toString('hex'))
  const service = await startProcess({
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'debug',
    WORKERS: '1',
    DATABASE_URL: databaseUrl,
    AUTH_ISSUER: RULES.issuer,
    AUTH_AUDIENCE: RULES.audience,
    AUTH_JWKS_URL: `${issuer}/jwks`,
    OTP_KEYS: `${keyOf('k2', otpKey)},${keyOf('k1', oldOtpKey)}`,
    SIGNING_KEYS: keyOf('s1', signingKey),
    MAIL_TRANSPORT: 'postmark,smtp',
    MAIL_FROM: 'Bank <no-reply@bank.example>',
    POSTMARK_API_URL: postmark,
    POSTMARK_SERVER_TOKEN: postmarkToken,
    POSTMARK_WEBHOOK_AUTH: webhookAuth,
    SMTP_URL: `smtp://countersign:${smtpPassword}@127.0.0.1:${smtpPort}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${collectorKey}`,
  })
  closing.push(() => service.end())
  const { url } = service
  const answers = async (status: number, reply: ReturnType<typeof call>) => {
    const { body, ...answer } = await reply
    t.is(answer.status, status, JSON.stringify(body))
    return body
  }

  const register = async (userId: string, email = `${userId}@example.com`) => {
    personal.add(email)
    const displayName = `${userId} von Beispiel`
    personal.add(displayName)
    await answers(
      201,
      call(url, 'PUT', `${USERS}/${encodeURIComponent(userId)}`, {
        token: crm,
        json: { email, displayName },
      }),
    )
    return { userId, email, token: await tokenOf({ sub: userId }) }
  }
  const open = async (subjectUserId: string) => {
    const digest = createHash('sha256').update(randomUUID()).digest('base64url')
    const summary = [{ label: 'To', value: IBAN }]
    const body = await answers(
      201,
      call(url, 'POST', CHALLENGES, {
        token: payments,
        headers: { 'plmr-idempotency-key': randomUUID() },
        json: { subjectUserId, operation: { type: 'payments.initiate', digest, summary } },
      }),
    )
    const [{ initiate, verify }] = body.methods
    secret(body.signature.split('.')[2])
    return {
      id: body.challengeId as string,
      initiate,
      verify,
      proof: { digest, signature: secret(body.signature) },
    }
  }
  const attempted = (challengeId: string, outcome: string) =>
    until(
      async () => service.output().split('\n'),
      (lines) =>
        lines.some(
          (line) =>
            line.includes(challengeId) && line.includes('"mail attempt"') && line.includes(`"${outcome}"`),
        ),
    )
  /** A user of a kind, who has asked for a code, when the attempt to mail it has come to `outcome`. */
  const asked = async (userId: string, outcome: string, email?: string) => {
    const user = await register(userId, email)
    const challenge = await open(userId)
    await answers(204, call(url, 'POST', challenge.initiate, { token: user.token }))
    await attempted(challenge.id, outcome)
    return { ...user, challenge }
  }
  personal.add(IBAN)
  personal.add(CAROL)

  // Mails that are not taken, each in its way; the first mail system rests after three of them.
  await asked('inactive', 'failed')
  const refused = await asked('refused', 'failed')
  await asked('later', 'queued')

  // What a user and a payments service do, right and wrong.
  const { challenge, email, ...alice } = await asked('alice', 'sent')
  const code = secret(codeIn({ text: mails.get(email)! }))
  const wrong = secret(wrongCode(code))
  const grouped = secret(`${code.slice(0, 3)}-${code.slice(3)}`)
  t.true(holds(`"totp":"${code}"`, code) && !holds(`-${code}-`, code))
  const verify = (json: unknown, token = alice.token) => call(url, 'POST', challenge.verify, { token, json })
  await answers(400, verify({ totp: wrong }))
  await answers(400, verify({ totp: ` ${grouped}x` }))
  await answers(400, verify({ totp: Number(`9${code}`) }))
  await answers(400, verify({ [`totp-${code}`]: code }))
  for (const body of [`{"totp":"${code}"`, `${code}`, `totp=${code}`]) {
    const headers = { 'Content-Type': 'application/json' }
    await answers(400, call(url, 'POST', challenge.verify, { token: alice.token, headers, body }))
  }
  await answers(415, call(url, 'POST', challenge.verify, { token: alice.token, body: `{"totp":"${code}"}` }))
  await answers(400, verify({ totp: code }, refused.token))
  await answers(204, verify({ totp: code }))
  await answers(410, verify({ totp: code }))

  const consume = (proof: object, key: string) =>
    call(url, 'POST', `${CHALLENGES}/${challenge.id}:consume`, {
      token: payments,
      headers: { 'plmr-idempotency-key': key },
      json: { ...challenge.proof, ...proof },
    })
  const key = randomUUID()
  const { signature } = challenge.proof
  const forged = secret(`${signature.slice(0, -1)}${signature.endsWith('A') ? 'Q' : 'A'}`)
  await answers(422, consume({ signature: forged }, key))
  const { authorisation } = await answers(200, consume({}, key))
  secret(authorisation)
  secret(authorisation.split('.')[2])
  t.is((await answers(200, consume({}, key))).authorisation, authorisation)
  await answers(409, consume({}, randomUUID()))

  const other = await open('alice')
  await answers(204, call(url, 'POST', `${CHALLENGES}/${other.id}:cancel`, { token: alice.token }))
  await answers(200, call(url, 'GET', `${CHALLENGES}/${challenge.id}`, { token: alice.token }))
  await answers(200, call(url, 'GET', `${CHALLENGES}/${challenge.id}/events`, { token: payments }))
  await asked(CAROL, 'sent', 'carol@example.com')

  // Those who are not who they say they are.
  const stranger = generateKeyPairSync('ed25519').privateKey
  for (const token of [
    await tokenOf({ sub: 'alice', exp: 1 }),
    await tokenOf({ sub: 'alice' }, stranger),
    await tokenOf({ sub: 'alice', aud: email }),
    await tokenOf({ sub: '' }),
    `${alice.token}x`,
    secret(randomBytes(24).toString('hex')),
  ]) {
    secret(token)
    await answers(401, call(url, 'POST', other.initiate, { token }))
  }
  const basic = { Authorization: `Basic ${Buffer.from(`${email}:${code}`).toString('base64')}` }
  await answers(401, call(url, 'POST', other.initiate, { headers: basic }))
  await answers(404, call(url, 'GET', `/${encodeURIComponent(email)}/${code}?access_token=${alice.token}`))
  await answers(
    200,
    call(url, 'GET', '/healthz', {
      headers: { 'X-Request-ID': email, traceparent: email, tracestate: `bank=${code}` },
    }),
  )
  await answers(400, call(url, 'PUT', `${USERS}/eve`, { token: crm, json: { email: `eve ${email}` } }))
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(`GET /${code} HTTP/1.1\r\nAuthorization: Bearer ${alice.token}\r\n${email}\r\n\r\n`)
  t.regex(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 400 /)

  // The mail system's reports, and somebody who poses as it.
  const report = (payload: object, credentials: string) =>
    call(url, 'POST', '/webhooks/postmark', {
      json: payload,
      headers: { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    })
  const news = { MessageID: randomUUID(), Metadata: { issuance: issuances.get('refused@example.com') } }
  const bounce = {
    ...news,
    ...{ RecordType: 'Bounce', Type: 'HardBounce', Inactive: true, BouncedAt: new Date().toISOString() },
    ...{ Email: refused.email, Description: refused.email, Details: code, Content: `Code: ${code}` },
  }
  const wrongPassword = secret(randomBytes(12).toString('hex'))
  await answers(401, report(bounce, `postmark:${wrongPassword}`))
  await answers(200, report(bounce, webhookAuth))
  await answers(400, report({ ...bounce, BouncedAt: email }, webhookAuth))
  const reactivation = { RecordType: 'SubscriptionChange', Recipient: refused.email, SuppressSending: false }
  await answers(200, report({ ...reactivation, ChangedAt: new Date().toISOString() }, webhookAuth))

  // A database that refuses, whose errors quote the row, and then hangs up.
  const tables = ['otp_issuances', 'users']
  const last = await open('alice')
  await query(
    databaseUrl,
    ...tables.map((name) => `ALTER TABLE ${name} ADD CONSTRAINT full_up CHECK (FALSE) NOT VALID`),
  )
  await answers(500, call(url, 'POST', last.initiate, { token: alice.token }))
  const late = { email: 'late@example.com' }
  personal.add(late.email)
  await answers(500, call(url, 'PUT', `${USERS}/late`, { token: crm, json: late }))
  await query(databaseUrl, ...tables.map((name) => `ALTER TABLE ${name} DROP CONSTRAINT full_up`))
  // A connection in use fails its statement, and only an idle one is told as lost: some round hits one that is.
  await until(
    async () => {
      await call(url, 'GET', '/readyz')
      await query(
        databaseUrl,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
      return service.output()
    },
    (output) => output.includes('"msg":"database connection lost"'),
  )
  await until(
    async () => (await call(url, 'POST', last.initiate, { token: alice.token })).status,
    (status) => status === 204,
  )

  const [, managementUrl] = /"url":"([^"]+)","msg":"management ready"/.exec(service.output())!
  const metrics = await (await fetch(`${managementUrl}/metrics`)).text()
  t.is(await service.end(), 0, service.output())

  // Of every code ever issued, mailed or not, with its seed: derived here once more, from the rows and the key.
  const rows = await query(
    databaseUrl,
    'SELECT to_jsonb(i) AS i, to_jsonb(c) AS c FROM otp_issuances i JOIN challenges c ON c.id = challenge_id',
  )
  const derived = (rows as DerivableRow[]).map((row) => derive(row, otpKey))
  t.true(derived.some((each) => each.code === code))
  t.true(derived.length >= 6)
  for (const each of derived) {
    secret(each.code)
    secretBytes(each.seed)
  }

  const log = service.output()
  for (const line of [
    'request',
    'decision',
    'mail attempt',
    'mail report',
    'mail failed over',
    'mail transport rests',
    'request failed',
    'database connection lost',
    'stopped',
  ]) {
    t.true(log.includes(`"msg":"${line}"`), `the story has a line "${line}"`)
  }
  t.true(collector.spans.some(({ name }) => name === 'hand over mail'))
  const told = { log, traces: collector.bodies.join('\n'), metrics }
  for (const [where, text] of Object.entries(told)) {
    for (const each of [...secrets, ...personal]) t.false(holds(text, each), `${where}: ${each}`)
  }

  const dump = await everyRow(databaseUrl)
  const filled = new Set(dump.map(({ table }) => table))
  // Whether it has a row depends on the time of day.
  filled.delete('trail_anchors')
  t.deepEqual([...filled].toSorted(), [
    '_prisma_migrations',
    'challenge_events',
    'challenges',
    'otp_issuances',
    'subject_standings',
    'trail_heads',
    'trail_retention',
    'users',
  ])
  for (const each of secrets) {
    t.deepEqual(
      dump.filter(({ value }) => holds(value, each)),
      [],
      each,
    )
  }
  const withAddress = dump.filter(({ value }) =>
    [...personal].some((each) => /^\w+@example/.test(each) && value.includes(each)),
  )
  t.deepEqual([...new Set(withAddress.map(({ table, column }) => `${table}.${column}`))].toSorted(), [
    'otp_issuances.recipient',
    'subject_standings.suppressed_address',
    'users.email',
  ])
})

/** Whether the text holds it as a whole: the digits of a code may well be part of an id or of an instant. */
function holds(text: string, secret: string): boolean {
  if (!/^\d{6}$/.test(secret)) return text.includes(secret)
  return new RegExp(`(?<![0-9a-f.:-])${secret}(?![0-9a-f.:+-])`).test(text)
}

/** Each value of each row of each table. */
async function everyRow(databaseUrl: string) {
  const tables = (await query(
    databaseUrl,
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  )) as { name: string }[]
  const all = await Promise.all(
    tables.map(async ({ name: table }) => {
      const values = await query(
        databaseUrl,
        `SELECT key AS column, value FROM "${table}" t, jsonb_each_text(to_jsonb(t))`,
      )
      return (values as { column: string; value: string | null }[]).map(({ column, value }) => ({
        table,
        column,
        value: value ?? '',
      }))
    }),
  )
  return all.flat()
}

interface DerivableRow {
  readonly i: Readonly<Record<'id' | 'recipient' | 'issued_at' | 'expires_at', string>> & {
    readonly number: number
  }
  readonly c: Readonly<
    Record<'id' | 'client_id' | 'subject_user_id' | 'operation_type' | 'operation_digest', string>
  > & { readonly operation_summary: readonly { readonly label: string; readonly value: string }[] }
}

/** As decision 1 has it. */
function derive({ i, c }: DerivableRow, key: Buffer): { code: string; seed: Uint8Array } {
  const [issuedAt, expiresAt] = [new Date(i.issued_at), new Date(i.expires_at)]
  const context = JSON.stringify([
    'countersign/otp/1',
    c.id,
    c.client_id,
    c.subject_user_id,
    c.operation_type,
    c.operation_digest,
    c.operation_summary.map(({ label, value }) => [label, value]),
    i.recipient,
    i.number,
    issuedAt.toISOString(),
    expiresAt.toISOString(),
  ])
  const seed = new Uint8Array(hkdfSync('sha256', key, i.id, hash('sha256', context, 'buffer'), 32))
  const t0 = Math.floor(issuedAt.getTime() / 1000)
  const period = Math.ceil((expiresAt.getTime() - issuedAt.getTime()) / 1000)
  return { code: generateSync({ secret: seed, algorithm: 'sha256', digits: 6, period, t0, epoch: t0 }), seed }
}
