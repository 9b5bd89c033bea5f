import test, { type ExecutionContext } from 'ava'
import { createTestDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import {
  codeIn,
  hasCode,
  type Mail,
  mailsTo,
  openChallenge,
  paymentsToken,
  randomDigest,
  registerUser,
  until,
} from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/* From the link in a mail to the trail, over several processes, as a reader and as an attacker go. */

const WITH_LINK = { REPORT_URL: 'http://127.0.0.1/not-me' }
const WITH_PAGE = { ...WITH_LINK, REPORT_PAGE: 'on' }

async function started(t: ExecutionContext, settings: readonly Record<string, string>[]) {
  const { url: databaseUrl } = await createTestDatabase()
  const dataDir = await createDataDir()
  const services: ServiceProcess[] = []
  t.teardown(async () => {
    await Promise.all(services.map((service) => service.end()))
    await dataDir.remove()
  })
  // One after the other: they share a folder of keys, which the first makes.
  for (const each of settings) {
    services.push(await startProcess({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir.path, ...each }))
  }
  return { services, databaseUrl, url: services[0]!.url }
}

const tokenIn = ({ text }: Mail) =>
  /^http:\/\/127\.0\.0\.1\/not-me\/([A-Za-z0-9_-]{40}[cl])$/m.exec(text)?.[1]

async function visit(url: string, token: string): Promise<{ status: number; html: string }> {
  const response = await fetch(`${url}/report/${token}`)
  return { status: response.status, html: await response.text() }
}

async function press(url: string, token: string, proof: string, others = ''): Promise<string> {
  const response = await fetch(`${url}/report/${token}`, {
    method: 'POST',
    body: new URLSearchParams({ proof, others }),
  })
  return /<h1>([^<]*)/.exec(await response.text())?.[1] ?? ''
}

const proofIn = (html: string) => /name="proof" value="([^"]+)"/.exec(html)?.[1] ?? ''

const trailOf = async (url: string, challengeId: string) =>
  (
    await call(url, 'GET', `/internal/v1/mfa/challenges/${challengeId}/events`, {
      token: await paymentsToken(url),
    })
  ).body.events as { type: string; actor: string; details: Record<string, string> }[]

test.serial(
  'presses at three processes at the same time are one report, whose page any of them served',
  async (t) => {
    const { services, databaseUrl, url } = await started(t, [WITH_PAGE, WITH_PAGE, WITH_PAGE])
    const { userId, email, token } = await registerUser(url)
    await query(
      databaseUrl,
      "INSERT INTO webhook_endpoints (client_id, secrets, registered_by) VALUES ('payments', '[]', 'service')",
    )
    const [challenge, other] = [await openChallenge(url, userId), await openChallenge(url, userId)]
    await call(url, 'POST', challenge.initiate, { token })
    const [mail] = await mailsTo(url, email, 1, hasCode)
    const link = tokenIn(mail!)!
    const proof = proofIn((await visit(services[2]!.url, link)).html)

    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => press(services[n % 3]!.url, link, proof, 'yes')),
    )

    t.deepEqual(
      [answers.filter((title) => title === 'Thank you for the report').length, answers.length],
      [1, 30],
    )
    t.true(answers.every((title) => /^Thank you for the report$|^This was reported already$/.test(title)))
    t.deepEqual(
      await query(
        databaseUrl,
        "SELECT type, count(*)::int AS times FROM challenge_events WHERE type IN ('challenge-reported', 'challenge-cancelled') GROUP BY type ORDER BY type",
      ),
      [
        { type: 'challenge-cancelled', times: 2 },
        { type: 'challenge-reported', times: 1 },
      ],
    )
    t.deepEqual(
      await query(
        databaseUrl,
        "SELECT q.client_id FROM service_events q JOIN challenge_events e ON e.id = q.event_id WHERE e.type = 'challenge-reported'",
      ),
      [{ client_id: 'payments' }],
    )
    const trail = await trailOf(url, challenge.id)
    t.like(trail.slice(-2), [
      { type: 'challenge-reported', actor: 'mail-reader', details: { statusBefore: 'pending', mail: 'otp' } },
      { type: 'challenge-cancelled', actor: 'mail-reader', details: { reason: 'reported' } },
    ])
    t.like((await trailOf(url, other.id)).at(-1), {
      type: 'challenge-cancelled',
      details: { reason: 'reported' },
    })
    const late = await call(url, 'POST', challenge.verify, { token, json: { totp: codeIn(mail!) } })
    t.is(late.status, 410)
    for (const service of services) {
      t.false(service.output().includes(link))
      t.false(service.output().includes(proof))
    }
  },
)

test.serial(
  'a report and a consumption at the same time: the approval is used, or it is cancelled, and the event says which',
  async (t) => {
    const { services, url } = await started(t, [WITH_PAGE, WITH_PAGE])
    for (let round = 0; round < 6; round++) {
      const { userId, email, token } = await registerUser(url)
      const challenge = await openChallenge(url, userId)
      await call(url, 'POST', challenge.initiate, { token })
      const [mail] = await mailsTo(url, email, 1, hasCode)
      const link = tokenIn(mail!)!
      const proof = proofIn((await visit(url, link)).html)
      await call(url, 'POST', challenge.verify, { token, json: { totp: codeIn(mail!) } })
      const payments = await paymentsToken(url)

      const [consumed] = await Promise.all([
        call(services[0]!.url, 'POST', challenge.consume, {
          token: payments,
          headers: { 'plmr-idempotency-key': randomDigest() },
          json: challenge.proof,
        }),
        press(services[1]!.url, link, proof),
      ])

      const reported = (await trailOf(url, challenge.id)).find(({ type }) => type === 'challenge-reported')!
      t.is(reported.details.statusBefore, consumed.status === 200 ? 'consumed' : 'verified')
    }
  },
)

test.serial(
  'the notice of a lock has a link of its own, which reports the challenge of the last wrong code',
  async (t) => {
    const { url } = await started(t, [WITH_PAGE])
    const { userId, email, token } = await registerUser(url)
    const challenge = await openChallenge(url, userId)
    for (let failure = 1; failure <= 5; failure++) {
      await call(url, 'POST', challenge.verify, { token, json: { totp: 'wrong' } })
    }
    const [notice] = await mailsTo(url, email, 1, (mail) => !hasCode(mail))
    const link = tokenIn(notice!)!
    const { html } = await visit(url, link)

    t.true(link.endsWith('l'))
    t.true(html.includes('EUR 1,250.00'))
    t.is(await press(url, link, proofIn(html)), 'Thank you for the report')

    const trail = await until(
      () => trailOf(url, challenge.id),
      (events) => events.some(({ type }) => type === 'challenge-reported'),
    )
    t.like(trail.find(({ type }) => type === 'challenge-reported')!.details, {
      statusBefore: 'exhausted',
      mail: 'lock-notice',
    })
  },
)

test.serial('a link outlives its challenge, and ends with its retention', async (t) => {
  const { url, databaseUrl } = await started(t, [WITH_PAGE])
  const { userId, email, token } = await registerUser(url)
  const challenge = await openChallenge(url, userId)
  await call(url, 'POST', challenge.initiate, { token })
  const link = tokenIn((await mailsTo(url, email, 1, hasCode))[0]!)!
  await query(
    databaseUrl,
    "UPDATE challenges SET created_at = created_at - interval '30 days', expires_at = expires_at - interval '30 days'",
  )
  const after = await visit(url, link)
  t.true(after.html.includes('This can no longer be confirmed.'))

  await query(databaseUrl, 'DELETE FROM otp_issuances')
  await query(databaseUrl, 'DELETE FROM challenges')
  const gone = await visit(url, link)
  const forged = await visit(url, `${link.slice(0, -1)}l`)

  t.deepEqual([gone.status, forged.status], [404, 404])
  t.true(gone.html.includes('This link does not work'))
  t.is(gone.html, forged.html)
})

test.serial(
  'mails have no link unless it is configured, and a process without the page does not serve it',
  async (t) => {
    const { url, services } = await started(t, [{}])
    const { userId, email, token } = await registerUser(url)
    await call(url, 'POST', (await openChallenge(url, userId)).initiate, { token })
    const [mail] = await mailsTo(url, email, 1, hasCode)
    t.notRegex(mail!.text, /https?:|not-me/)
    t.regex(mail!.text, /There\s+are no links in this mail/)
    t.is((await visit(url, 'x')).status, 404)
    t.regex((await visit(url, 'x')).html, /RESOURCE_UNKNOWN/)
    await services[0]!.end()

    const linking = await started(t, [WITH_LINK])
    const bob = await registerUser(linking.url)
    await call(linking.url, 'POST', (await openChallenge(linking.url, bob.userId)).initiate, {
      token: bob.token,
    })
    const [linked] = await mailsTo(linking.url, bob.email, 1, hasCode)
    const link = tokenIn(linked!)
    t.truthy(link)
    t.regex((await visit(linking.url, link!)).html, /RESOURCE_UNKNOWN/)
  },
)
