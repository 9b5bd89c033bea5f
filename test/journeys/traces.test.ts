import { spawn } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { SMTPServer } from 'smtp-server'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../doubles/otlp-receiver.ts'
import { createTestDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, mailsTo, openChallenge, registerUser, until } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'
const SAMPLED = { traceparent: `00-${TRACE}-${CALLER}-01` }
const INITIATE = 'POST /internal/v1/mfa/totp-email/:challengeId\\:initiate'

/** An installation of its own, for whoever shares the database may deliver. */
async function installation(t: ExecutionContext, endpoint: string) {
  const dataDir = await createDataDir()
  t.teardown(dataDir.remove)
  const { url: DATABASE_URL } = await createTestDatabase()
  return { DATABASE_URL, DATA_DIR: dataDir.path, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
}

async function receiver(t: ExecutionContext): Promise<OtlpReceiver> {
  const collector = await startOtlpReceiver()
  t.teardown(collector.close)
  return collector
}

/** The names of a trace as a tree, each span with those below it. */
function treeOf(spans: readonly ReceivedSpan[], parentSpanId: string | undefined): unknown {
  return Object.fromEntries(
    spans
      .filter((span) => span.parentSpanId === parentSpanId)
      .toSorted((one, other) => one.name.localeCompare(other.name))
      .map(({ name, spanId }) => [name, treeOf(spans, spanId)]),
  )
}

const DELIVERY = {
  'compose mail': {},
  'hand over mail': {},
  'otp-outbox.claim': {},
  'otp-outbox.record': {},
}

test.serial(
  'one trace leads from the request of the app over the database to the mail, and holds nothing secret',
  async (t) => {
    const collector = await receiver(t)
    const env = await installation(t, collector.url)
    const service = await startProcess({ ...env, OTEL_SERVICE_NAME: 'bank-countersign' })
    t.teardown(() => service.end())
    const { url } = service
    const user = await registerUser(url)
    const challenge = await openChallenge(url, user.userId)

    const headers = { ...SAMPLED, 'X-Request-ID': 'of-the-app' }
    t.is((await call(url, 'POST', challenge.initiate, { token: user.token, headers })).status, 204)
    const [mail] = await mailsTo(url, user.email)
    const json = { totp: codeIn(mail!) }
    t.is((await call(url, 'POST', challenge.verify, { token: user.token, json })).status, 204)
    t.is(await service.end(), 0, service.output())

    const trace = collector.spans.filter(({ traceId }) => traceId === TRACE)
    t.deepEqual(treeOf(trace, CALLER), {
      [INITIATE]: { 'deliver code': DELIVERY, 'step-ups.load': {}, 'step-ups.save': {} },
    })
    t.is(trace.length, 8)
    const named = Object.fromEntries(trace.map((span) => [span.name, span]))
    t.like(named[INITIATE]?.attributes, { 'countersign.request_id': 'of-the-app' })
    t.deepEqual(named['step-ups.save']?.attributes, {
      'db.system.name': 'postgresql',
      'db.operation.name': 'step-ups.save',
      'db.response.returned_rows': 1,
    })
    t.like(named['deliver code']?.attributes, {
      'countersign.challenge_id': challenge.id,
      'countersign.delivery.attempt': 1,
      'countersign.delivery.outcome': 'sent',
    })
    t.is(named['hand over mail']?.attributes['countersign.mail.transport'], 'mailbox')
    t.true(trace.every(({ failed, resource }) => !failed && resource['service.name'] === 'bank-countersign'))

    // Of the development's log: `request` or `mail attempt`, and its fields below.
    t.regex(service.output(), new RegExp(`request\\s+requestId: "of-the-app"\\s+traceId: "${TRACE}"`))
    t.regex(service.output(), new RegExp(`mail attempt\\s(?:\\s+\\w+: .+)*\\s+traceId: "${TRACE}"`))
    const exported = collector.bodies.join()
    for (const secret of [user.email, user.userId, user.token, codeIn(mail!), challenge.body.signature]) {
      t.false(new RegExp(`(?<![0-9a-f.-])${RegExp.escape(secret)}(?![0-9a-f.-])`).test(exported), secret)
    }
  },
)

test.serial(
  'a delivery by another process is part of the trace of the request, attempt by attempt',
  async (t) => {
    const collector = await receiver(t)
    const env = await installation(t, collector.url)
    // Takes nothing, so that the mail is there for the other process.
    const service = await startProcess({ ...env, MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1' })
    t.teardown(() => service.end())
    const user = await registerUser(service.url)
    const challenge = await openChallenge(service.url, user.userId)
    await call(service.url, 'POST', challenge.initiate, { token: user.token, headers: SAMPLED })
    await until(
      async () => service.output(),
      (output) => output.includes('mail attempt'),
    )
    t.is(await service.end(), 0, service.output())

    const received = Promise.withResolvers<void>()
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, _, done) => {
        stream.resume().once('end', () => {
          done()
          received.resolve()
        })
      },
    })
    await new Promise<void>((listening) => smtp.listen(0, '127.0.0.1', listening))
    t.teardown(() => new Promise<void>((closed) => smtp.close(closed)))
    const { port } = smtp.server.address() as { port: number }
    const deliverer = spawn(process.execPath, ['bin/service.mjs', 'deliver'], {
      env: {
        PATH: process.env.PATH,
        MANAGEMENT_PORT: '0',
        ...env,
        MAIL_TRANSPORT: 'smtp',
        SMTP_URL: `smtp://127.0.0.1:${port}`,
      },
    })
    t.teardown(() => deliverer.kill())
    await received.promise
    const spans = await until(
      async () => collector.spans.filter(({ traceId }) => traceId === TRACE),
      (trace) => trace.filter(({ name }) => name === 'deliver code').length >= 2,
    )

    const request = spans.find(({ name }) => name === INITIATE)!
    const deliveries = spans
      .filter(({ name }) => name === 'deliver code')
      .toSorted(
        (one, other) =>
          Number(one.attributes['countersign.delivery.attempt']) -
          Number(other.attributes['countersign.delivery.attempt']),
      )
    t.true(deliveries.every(({ parentSpanId }) => parentSpanId === request.spanId))
    t.is(deliveries[0]?.attributes['countersign.delivery.outcome'], 'queued')
    const sent = deliveries.at(-1)!
    t.is(sent.attributes['countersign.delivery.outcome'], 'sent')
    t.deepEqual(treeOf(spans, sent.spanId), DELIVERY)
    t.is(deliveries[0]?.resource['service.instance.id'], request.resource['service.instance.id'])
    t.not(sent.resource['service.instance.id'], request.resource['service.instance.id'])

    const tried = spans.filter(({ name }) => name === 'hand over mail')
    t.like(tried[0], { failed: true, attributes: { 'error.type': 'MailUnavailable' } })
  },
)

for (const [what, endpoint] of [
  ['away', async () => 'http://127.0.0.1:1'],
  [
    'silent',
    async (t: ExecutionContext) => {
      const collector = await receiver(t)
      collector.answerWith(undefined)
      return collector.url
    },
  ],
] as const) {
  test.serial(
    `with a collector that is ${what}, the service answers, mails, and ends in order`,
    async (t) => {
      const service = await startProcess(await installation(t, await endpoint(t)))
      t.teardown(() => service.end())
      const { url } = service
      const user = await registerUser(url)
      const challenge = await openChallenge(url, user.userId)

      t.is((await call(url, 'POST', challenge.initiate, { token: user.token })).status, 204)
      const [mail] = await mailsTo(url, user.email)
      const json = { totp: codeIn(mail!) }
      t.is((await call(url, 'POST', challenge.verify, { token: user.token, json })).status, 204)
      t.is(await service.end(), 0, service.output())

      // One line a minute at most of the thread that answers, and one of the thread that mails.
      t.true((service.output().match(/traces lost/g) ?? []).length <= 2, service.output())
    },
  )
}

test.serial('without a collector nothing is traced, whatever a caller sends', async (t) => {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...env } = await installation(t, '')
  const service = await startProcess(env)
  t.teardown(() => service.end())
  const user = await registerUser(service.url)
  const challenge = await openChallenge(service.url, user.userId)

  const asked = { token: user.token, headers: SAMPLED }
  t.is((await call(service.url, 'POST', challenge.initiate, asked)).status, 204)
  await until(
    async () => service.output(),
    (output) => output.includes('mail attempt'),
  )

  t.false(service.output().includes('traceId'))
  t.deepEqual(await query(env.DATABASE_URL, 'SELECT trace_context FROM otp_issuances'), [
    { trace_context: null },
  ])
})
