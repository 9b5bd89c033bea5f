import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { PageProof } from '../../src/adapters/http-koa/report/page-proof.ts'
import { Visits } from '../../src/adapters/http-koa/report/visits.ts'
import { ConcurrencyConflict } from '../../src/application/retry-on-conflict.ts'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { POLICY } from '../domain/examples.ts'
import { edge } from './edge.ts'

type Init = { method?: string; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }

/** The edge with the page, and the path of the link in Alice's mail. Her language is German. */
async function mailed(t: ExecutionContext, options: Parameters<typeof edge>[1] = {}) {
  const house = await edge(t, { reportPage: {}, ...options })
  const challengeId = await house.open()
  await house.issue(challengeId)
  await house.deliver()
  const token = house.notices.at(-1)!.reportUrl!.split('/').at(-1)!
  const path = `/report/${token}`
  const visit = async (init: Init = {}, at = path) => {
    // biome-ignore lint/style/noRestrictedGlobals: the page is for people, so the API's document does not have it
    const response = await fetch(`http://127.0.0.1:${house.port}${at}`, { redirect: 'manual', ...init })
    return { status: response.status, headers: response.headers, html: await response.text() }
  }
  const proofIn = (html: string) => /name="proof" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const send = (fields: Record<string, string>, headers: Record<string, string> = {}, at = path) =>
    visit(
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(fields).toString(),
      },
      at,
    )
  return {
    ...house,
    ...{ challengeId, token, path, visit, send, proofIn },
    proof: async () => proofIn((await visit()).html),
    reports: () => house.store.events.filter(({ type }) => type === 'challenge-reported'),
    statusOf: async (id: string) => (await house.store.stepUps.load(id))!.challenge.status,
  }
}

/** The text of a page, as a browser shows it. */
const shown = (html: string) =>
  html
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll(/\s+/g, ' ')

test('the page shows the operation and asks in the language of the mail, with one button and a choice', async (t) => {
  const { visit } = await mailed(t)

  const { status, headers, html } = await visit()

  t.is(status, 200)
  t.is(headers.get('Content-Type'), 'text/html; charset=utf-8')
  t.regex(html, /<html lang="de" dir="ltr">/)
  for (const said of ['Waren Sie das nicht?', 'EUR 1,250.00', 'ACME GmbH', 'Example Bank', '12:00:00 UTC']) {
    t.true(shown(html).includes(said), said)
  }
  t.is(html.match(/<button/g)?.length, 1)
  t.is(html.match(/<input/g)?.length, 2)
  t.notRegex(html, /<script|<a |https?:|javascript:|\son\w+=/)
})

for (const [who, init] of [
  ['a scanner of mails', { headers: { 'User-Agent': 'Mozilla/5.0 (compatible; BarracudaCentral)' } }],
  ['a browser that prefetches', { headers: { 'Sec-Purpose': 'prefetch', Purpose: 'prefetch' } }],
  ['a browser that renders ahead', { headers: { 'Sec-Purpose': 'prefetch;prerender' } }],
  ['an image proxy', { headers: { 'User-Agent': 'GoogleImageProxy', Accept: 'image/avif,image/*,*/*' } }],
  ['a link preview', { headers: { 'User-Agent': 'Slackbot-LinkExpanding 1.0', Range: 'bytes=0-32768' } }],
  ['a HEAD request', { method: 'HEAD' }],
] as const) {
  test(`${who} follows the link a hundred times and changes nothing`, async (t) => {
    const { visit, store, statusOf, challengeId } = await mailed(t, {
      reportPage: { visits: new Visits(1000) },
    })
    const before = store.events.length

    const visits = await Promise.all(Array.from({ length: 100 }, () => visit(init)))

    t.true(visits.every(({ status }) => status === 200))
    if ('method' in init) t.true(visits.every(({ html }) => html === ''))
    t.is(store.events.length, before)
    t.is(await statusOf(challengeId), 'pending')
  })
}

test('no other method reaches the page', async (t) => {
  const { visit, store } = await mailed(t)
  const before = store.events.length

  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const { status, headers } = await visit({ method })
    t.is(status, 405)
    t.is(headers.get('Allow'), 'HEAD, GET, POST')
  }
  t.is(store.events.length, before)
})

test('the button reports, cancels and thanks, and a second press says that it was reported already', async (t) => {
  const { send, proof, reports, statusOf, challengeId, visit } = await mailed(t)
  const given = await proof()

  const first = await send({ proof: given })
  const second = await send({ proof: given })
  const later = await visit()

  t.deepEqual([first.status, second.status, later.status], [200, 200, 200])
  t.true(shown(first.html).includes('Danke für die Meldung Dies ist abgebrochen'))
  for (const { html } of [second, later]) {
    t.true(shown(html).includes('Dies wurde schon gemeldet'))
    t.notRegex(html, /<form/)
  }
  t.is(await statusOf(challengeId), 'cancelled')
  t.is(reports().length, 1)
  t.like(reports()[0], { remoteAddress: '127.0.0.1', actor: 'mail-reader' })
})

test('twenty presses at the same time are one report, and all of them are answered kindly', async (t) => {
  const { send, proof, reports } = await mailed(t)
  const given = await proof()

  const answers = await Promise.all(Array.from({ length: 20 }, () => send({ proof: given })))

  t.true(answers.every(({ status }) => status === 200))
  t.is(answers.filter(({ html }) => shown(html).includes('Danke')).length, 1)
  t.is(reports().length, 1)
})

test('the choice ends whatever else waits for the user, and the page says so', async (t) => {
  const { send, proof, open, statusOf } = await mailed(t)
  const others = [await open(), await open()]

  const { html } = await send({ proof: await proof(), others: 'yes' })

  t.true(shown(html).includes('Auch alles andere, was auf Ihre Bestätigung wartete, ist abgebrochen.'))
  t.deepEqual(await Promise.all(others.map(statusOf)), ['cancelled', 'cancelled'])
})

test('after the code was used, the page says plainly what can still be done, before and after the report', async (t) => {
  const { visit, send, proof, verify, consume, challengeId, statusOf, reports } = await mailed(t)
  await verify(challengeId, '000001')
  await consume(challengeId)

  const before = await visit()
  const after = await send({ proof: await proof() })

  t.true(
    shown(before.html).includes(
      'aber aufhalten können wir es nicht mehr. Melden Sie sich auch sofort bei uns',
    ),
  )
  t.true(shown(after.html).includes('wir können es nicht mehr aufhalten'))
  t.is(await statusOf(challengeId), 'consumed')
  t.like(reports(), [{ statusBefore: 'consumed' }])
})

test('after the challenge has ended by itself, the page says that nothing can be confirmed any more', async (t) => {
  const { visit, send, proof, clock, reports } = await mailed(t)
  clock.pass(POLICY.challengeLifetimeInSeconds)

  const before = await visit()
  const after = await send({ proof: await proof() })

  t.true(shown(before.html).includes('Dies kann nicht mehr bestätigt werden.'))
  t.true(shown(after.html).includes('Es gab nichts mehr abzubrechen'))
  t.like(reports(), [{ statusBefore: 'expired' }])
})

const FORM = 'application/x-www-form-urlencoded'
for (const [what, forge] of [
  ['without the proof of the page', () => ({ fields: {} })],
  ['with the proof of another link', () => ({ fields: { proof: PROOF.for('another') } })],
  ['with an invented proof', () => ({ fields: { proof: `9999999999.${'A'.repeat(43)}` } })],
  [
    'from another site',
    (proof: string) => ({ fields: { proof }, headers: { 'Sec-Fetch-Site': 'cross-site' } }),
  ],
  [
    'from a neighbouring site',
    (proof: string) => ({ fields: { proof }, headers: { 'Sec-Fetch-Site': 'same-site' } }),
  ],
  [
    'from another origin',
    (proof: string) => ({ fields: { proof }, headers: { Origin: 'https://evil.test' } }),
  ],
  ['as JSON', (proof: string) => ({ fields: { proof }, headers: { 'Content-Type': 'application/json' } })],
  ['as text', (proof: string) => ({ fields: { proof }, headers: { 'Content-Type': 'text/plain' } })],
  ['that is compressed', (proof: string) => ({ fields: { proof }, headers: { 'Content-Encoding': 'gzip' } })],
  ['that is too large', (proof: string) => ({ fields: { proof, more: 'x'.repeat(2000) } })],
] as [string, (proof: string) => { fields: Record<string, string>; headers?: Record<string, string> }][]) {
  test(`a form ${what} reports nothing, and shows the page again`, async (t) => {
    const { send, proof, store, proofIn, reports } = await mailed(t)
    const { fields, headers } = forge(await proof())
    const before = store.events.length

    const { status, html } = await send(fields, headers)

    t.is(status, 403)
    t.true(shown(html).includes('Noch ist nichts geschehen.'))
    t.is(store.events.length, before)
    // The reader who presses the button of that page is understood.
    t.is((await send({ proof: proofIn(html) })).status, 200)
    t.is(reports().length, 1)
  })
}

const PROOF = new PageProof([{ bytes: Buffer.alloc(32, 7) }])

for (const headers of [
  { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
  { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://www.bank.example' },
  {},
]) {
  test(`a form of the page counts with ${JSON.stringify(headers)}`, async (t) => {
    const { send, proof, reports } = await mailed(t)

    t.is((await send({ proof: await proof() }, headers as Record<string, string>)).status, 200)
    t.is(reports().length, 1)
  })
}

test('a proof counts for an hour, under any key that is configured, and for its link only', (t) => {
  const [one, other] = [{ bytes: Buffer.alloc(32, 1) }, { bytes: Buffer.alloc(32, 2) }]
  let now = 1_900_000_000_000
  const before = new PageProof([one], () => now)
  const rotated = new PageProof([other, one], () => now)
  const given = before.for('a')

  t.true(before.accepts(given, 'a'))
  t.true(rotated.accepts(given, 'a'))
  t.false(new PageProof([other], () => now).accepts(given, 'a'))
  t.false(before.accepts(given, 'b'))
  for (const changed of ['', `${given}A`, given.replace(/^\d/, '2'), given.slice(0, -1)]) {
    t.false(before.accepts(changed, 'a'), changed)
  }
  now += 3_599_000
  t.true(before.accepts(given, 'a'))
  now += 1000
  t.false(before.accepts(given, 'a'))
})

test('links that lead nowhere get one kind page, by the language of the browser, whatever is wrong with them', async (t) => {
  const { visit, send, token, logLines } = await mailed(t)
  const unknown = `otp.${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`
  const headers = { 'Accept-Language': 'fr-CH, de;q=0.5' }
  const expected = await visit({ headers }, `/report/${unknown}`)

  t.is(expected.status, 404)
  t.true(shown(expected.html).includes('Ce lien ne fonctionne pas'))
  for (const wrong of [
    'x',
    token.slice(0, -1),
    `${token}x`,
    token.toUpperCase(),
    '%00',
    '%zz',
    'a'.repeat(8000),
  ]) {
    const { status, html } = await visit({ headers }, `/report/${wrong}`)
    t.deepEqual([status, html], [404, expected.html], wrong)
    const posted = await send({ proof: PROOF.for(wrong) }, headers, `/report/${wrong}`)
    t.deepEqual([posted.status, posted.html], [404, expected.html], wrong)
  }
  t.false(JSON.stringify(logLines).includes(unknown))
})

test('a browser without a language of ours, or an unknown one, reads English', async (t) => {
  const { visit } = await mailed(t)

  for (const language of ['ja', '*', '', 'de;q=0']) {
    const { html } = await visit({ headers: { 'Accept-Language': language } }, '/report/x')
    t.regex(html, /<html lang="en"/, language)
  }
})

test('no page may be stored, framed, indexed or read by other sites, nor name itself to them', async (t) => {
  const { visit, send, proof } = await mailed(t)

  const pages = [
    await visit(),
    await visit({}, '/report/x'),
    await send({}),
    await send({ proof: await proof() }),
  ]

  for (const { headers } of pages) {
    t.is(headers.get('Cache-Control'), 'no-store')
    t.is(headers.get('Referrer-Policy'), 'no-referrer')
    t.is(headers.get('X-Content-Type-Options'), 'nosniff')
    t.is(headers.get('Cross-Origin-Resource-Policy'), 'same-origin')
    t.is(headers.get('Access-Control-Allow-Origin'), null)
    t.is(headers.get('X-Robots-Tag'), 'noindex, nofollow')
    t.is(headers.get('Set-Cookie'), null)
    t.regex(
      headers.get('Content-Security-Policy') ?? '',
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    )
  }
})

test('the log of visits has the route, and neither token, proof nor operation', async (t) => {
  const { visit, send, proof, token, logLines, challengeId } = await mailed(t)
  const given = await proof()

  await visit()
  await send({ proof: given })
  await visit({}, '/report/secret-of-somebody')

  const lines = logLines.filter(({ route }) => String(route).startsWith('/report'))
  t.is(lines.length, 4)
  t.like(lines.at(-2), { route: '/report/:token', method: 'POST', status: 200, challengeId })
  const log = JSON.stringify(logLines)
  for (const secret of [token, given, 'ACME', 'secret-of-somebody']) t.false(log.includes(secret), secret)
})

test('more than thirty visits to one link in a minute are asked to come back, and other links are not', async (t) => {
  let now = 0
  const { visit, send, open, issue, deliver, notices, clock } = await mailed(t, {
    reportPage: { visits: new Visits(30, () => now) },
  })
  clock.pass(60)
  await issue(await open())
  await deliver()
  const other = `/report/${notices.at(-1)!.reportUrl!.split('/').at(-1)}`

  for (let n = 0; n < 30; n++) t.is((await visit()).status, 200)
  const refused = await visit()
  t.is(refused.status, 429)
  t.is(refused.headers.get('Retry-After'), '60')
  t.regex(refused.headers.get('Content-Type') ?? '', /^text\/html/)
  t.is((await send({})).status, 429)
  t.is((await visit({}, other)).status, 200)

  now += 60_000
  t.is((await visit()).status, 200)
})

for (const [what, error, status] of [
  ['while the database is away', new StorageUnavailable('gone'), 503],
  ['after too many lost races', new ConcurrencyConflict('x', 25), 503],
  ['on a fault of ours', new TypeError('the secret of the house'), 500],
] as const) {
  test(`${what}, the reader gets a page that says to come back, and the log says why`, async (t) => {
    const { visit, send, proof, store, logLines } = await mailed(t)
    const given = await proof()
    store.stepUps.load = () => Promise.reject(error)

    for (const answer of [await visit(), await send({ proof: given })]) {
      t.is(answer.status, status)
      t.is(answer.headers.get('Retry-After'), status === 503 ? '2' : null)
      t.regex(answer.html, /<html lang="en"/)
      t.true(shown(answer.html).includes('This does not work right now'))
      t.false(answer.html.includes('secret'))
    }
    t.is(logLines.filter(({ msg }) => msg === 'request failed').length, 2)
  })
}

test('a client that stops in the middle of the form holds nothing up and reports nothing', async (t) => {
  const { path, port, reports, visit } = await mailed(t)
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\nContent-Length: 500\r\n\r\nproof=`,
  )
  socket.end()

  t.is((await visit()).status, 200)
  t.notRegex(await text(socket), / 200 /)
  t.deepEqual(reports(), [])
})
