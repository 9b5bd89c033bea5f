import test from 'ava'
import { codeIn, mailsTo, until } from '../../journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../journeys/service-process.ts'
import { createTestDatabase } from '../../support/database.ts'

/* The bank as its pages call it, and as somebody calls it who means no good. */

let dataDir: Awaited<ReturnType<typeof createDataDir>>
let service: ServiceProcess

test.before(async () => {
  dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  service = await startProcess({
    DATABASE_URL: url,
    DATA_DIR: dataDir.path,
    OTP_RESEND_COOLDOWN_SECONDS: '1',
    LOG_LEVEL: 'debug',
  })
})

test.after.always(async () => {
  await service?.end()
  await dataDir?.remove()
})

const ORDER = { payeeId: 'acme', amount: '1250.00', reference: 'Invoice 2030-0017' }

/** A browser that has signed in. */
async function visitor() {
  const entered = await fetch(`${service.url}/bank/session`, { method: 'POST' })
  const [cookie] = entered.headers.getSetCookie()
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: { Cookie: cookie!.split(';')[0]!, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the tests find out
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any }
  }
  /** Has the customer countersign what is demanded, and gives what the repeated call has to bring. */
  const countersign = async (demanded: { challengeId: string; signature: string }) => {
    const { accessToken } = (await ask('GET', '/bank/token')).body
    const path = `/internal/v1/mfa/totp-email/${demanded.challengeId}`
    const Authorization = `Bearer ${accessToken}`
    await ask('POST', `${path}:initiate`, undefined, { Authorization })
    const { address } = (await ask('GET', '/backstage/scene')).body
    const [mail] = await mailsTo(service.url, address)
    await ask('POST', `${path}:verify`, { totp: codeIn(mail!) }, { Authorization })
    return { 'plmr-mfa-challenge-id': demanded.challengeId, 'plmr-mfa-signature': demanded.signature }
  }
  return { cookie: cookie!, ask, countersign }
}

const balanceOf = async ({ ask }: Awaited<ReturnType<typeof visitor>>) =>
  (await ask('GET', '/bank/account')).body.balance

test('the cookie of a visit is for no script and no other site', async (t) => {
  const { cookie } = await visitor()

  t.regex(cookie, /; httponly/i)
  t.regex(cookie, /; samesite=strict/i)
})

test('without a visit there is nothing to see and nothing to do', async (t) => {
  for (const [method, path] of [
    ['GET', '/bank/account'],
    ['GET', '/bank/token'],
    ['POST', '/bank/transfers'],
    ['GET', '/backstage/scene'],
    ['PUT', '/backstage/trouble'],
  ] as const) {
    t.is((await fetch(`${service.url}${path}`, { method })).status, 401, path)
  }
})

test('a countersigned transfer is made once, however often it is asked for', async (t) => {
  const customer = await visitor()
  const { ask, countersign } = customer
  const demanded = await ask('POST', '/bank/transfers', ORDER)
  t.is(demanded.status, 401)
  t.is(demanded.body.code, 'STEP_UP_REQUIRED')
  const proof = await countersign(demanded.body)

  const answers = await Promise.all(
    Array.from({ length: 5 }, () => ask('POST', '/bank/transfers', ORDER, proof)),
  )
  const repeated = await until(
    () => ask('POST', '/bank/transfers', ORDER, proof),
    ({ status }) => status === 202,
  )

  const made = answers.filter(({ status }) => status === 202)
  t.deepEqual(new Set([...made, repeated].map(({ body }) => body.transferId)).size, 1)
  t.is(await balanceOf(customer), 'EUR 11,230.50')
})

for (const change of [{ amount: '1250.01' }, { payeeId: 'bakery' }, { reference: '' }]) {
  test(`a countersigned transfer is of no use with another ${Object.keys(change)}`, async (t) => {
    const customer = await visitor()
    const { ask, countersign } = customer
    const demanded = await ask('POST', '/bank/transfers', ORDER)
    const proof = await countersign(demanded.body)

    const { status, body } = await ask('POST', '/bank/transfers', { ...ORDER, ...change }, proof)

    t.is(status, 403)
    t.is(body.code, 'OPERATION_DOES_NOT_MATCH_CHALLENGE')
    t.is(body.arrived[0].value, `EUR ${change.amount === undefined ? '1,250.00' : '1,250.01'}`)
    t.is(await balanceOf(customer), 'EUR 12,480.50')
  })
}

test("one customer's countersignature is of no use to another", async (t) => {
  const [alice, mallory] = [await visitor(), await visitor()]
  const demanded = await alice.ask('POST', '/bank/transfers', ORDER)
  const proof = await alice.countersign(demanded.body)

  const { status } = await mallory.ask('POST', '/bank/transfers', ORDER, proof)

  t.is(status, 403)
  t.is(await balanceOf(mallory), 'EUR 12,480.50')
})

for (const [what, order] of Object.entries({
  'no amount': { ...ORDER, amount: '0.00' },
  'an amount below nothing': { ...ORDER, amount: '-1.00' },
  'an amount that is a number': { ...ORDER, amount: 1250 },
  'an amount of three decimals': { ...ORDER, amount: '1.000' },
  'a payee that is unknown': { ...ORDER, payeeId: '__proto__' },
  'a reference with control characters': { ...ORDER, reference: 'a\u202eb' },
  'a reference that is too long': { ...ORDER, reference: 'x'.repeat(61) },
  'something more': { ...ORDER, iban: 'DE00' },
  'nothing at all': {},
})) {
  test(`an order with ${what} is refused, and asks Countersign for nothing`, async (t) => {
    const { ask } = await visitor()

    t.is((await ask('POST', '/bank/transfers', order)).status, 400)
    t.is((await ask('GET', '/backstage/scene')).body.exchanges.length, 1)
  })
}

test('a code to an address that bounces takes the address out of use, until the bank tells another one', async (t) => {
  const { ask } = await visitor()
  await ask('PUT', '/backstage/trouble', { trouble: 'bounce' })
  const demanded = await ask('POST', '/bank/transfers', ORDER)
  const { accessToken } = (await ask('GET', '/bank/token')).body
  const initiateOf = (challengeId: string) =>
    ask('POST', `/internal/v1/mfa/totp-email/${challengeId}:initiate`, undefined, {
      Authorization: `Bearer ${accessToken}`,
    })

  t.is((await initiateOf(demanded.body.challengeId)).status, 204)
  const { body } = await until(
    () => ask('GET', '/backstage/scene'),
    ({ body }) => body.challenge.issuance.delivery === 'bounced',
  )
  t.true(body.challenge.events.some(({ type }: { type: string }) => type === 'address-suppressed'))
  const refused = await until(
    () => initiateOf(demanded.body.challengeId),
    ({ status }) => status !== 429,
  )
  t.is(refused.status, 400)
  t.is(refused.body.code, 'urn:plmr:mfa-totp:api:USER_NOT_FOUND')

  await ask('PUT', '/backstage/trouble', { trouble: 'none' })
  const { challengeId } = (await ask('POST', '/bank/transfers', ORDER)).body
  t.is((await initiateOf(challengeId)).status, 204)
})

// Serial: it counts what the bank asks, and other visitors ask too.
test.serial('the bank hears from Countersign what happened, and asks for nothing meanwhile', async (t) => {
  const { ask, countersign } = await visitor()
  const demanded = await ask('POST', '/bank/transfers', ORDER)
  const proof = await countersign(demanded.body)
  await ask('POST', '/bank/transfers', ORDER, proof)
  const reported = ({ body }: { body: { reports: { type: string }[] } }) =>
    body.reports.map(({ type }) => type)

  const scene = await until(
    () => ask('GET', '/backstage/scene'),
    // A code may be used before its mail is recorded as sent.
    (seen) => ['challenge-consumed', 'otp-sent'].every((type) => reported(seen).includes(type)),
  )

  const heard = reported(scene).filter((type) => !type.startsWith('otp-'))
  t.deepEqual(heard, ['challenge-opened', 'challenge-verified', 'challenge-consumed'])
  const readings = () => service.output().split(/route: "[^"]*challenge[^"]*\/events"/).length
  await ask('GET', '/backstage/scene')
  const before = readings()
  t.true(before > 1)
  for (let look = 0; look < 3; look += 1) await ask('GET', '/backstage/scene')
  t.is(readings(), before)
})

test('the bank refuses events that Countersign did not sign', async (t) => {
  await visitor()
  const forged = { specversion: '1.0', id: '1', type: 'countersign.challenge-verified' }

  const post = async (headers: Record<string, string>) => {
    const response = await fetch(`${service.url}/bank/events`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/cloudevents+json', ...headers },
      body: JSON.stringify(forged),
    })
    return response.status
  }
  t.is(await post({}), 400)
  const now = String(Math.floor(Date.now() / 1000))
  t.is(await post({ 'webhook-id': '1', 'webhook-timestamp': now, 'webhook-signature': 'v1,AAAA' }), 401)
})

test('a trouble that is none is refused', async (t) => {
  const { ask } = await visitor()

  t.is((await ask('PUT', '/backstage/trouble', { trouble: 'flood' })).status, 400)
})

test('what is said backstage holds no token and no code', async (t) => {
  const { ask, countersign } = await visitor()
  const demanded = await ask('POST', '/bank/transfers', ORDER)
  const proof = await countersign(demanded.body)
  await ask('POST', '/bank/transfers', ORDER, proof)

  const { body } = await ask('GET', '/backstage/scene')

  t.is(body.challenge.status, 'consumed')
  t.deepEqual(
    body.exchanges.map(({ method, status }: { method: string; status: number }) => [method, status]),
    [
      ['PUT', 201],
      ['POST', 201],
      ['POST', 200],
    ],
  )
  t.notRegex(JSON.stringify(body), /Bearer|accessToken|access_token|"totp"/)
})

test('of the files beside the pages only those are served that a page loads', async (t) => {
  const answers = async (file: string) => (await fetch(`${service.url}/bank/files/${file}`)).status

  t.is(await answers('bank/browser/bank.ts'), 200)
  t.is(await answers('kit/browser/countersign-dialog.js'), 200)
  for (const file of [
    'bank/browser/tsconfig.json',
    'bank/browser/..%2fbank-routes.ts',
    'bank/browser/none.ts',
    'adapters/browser/bank.ts',
    '..%2fbank/browser/bank.ts',
  ]) {
    t.is(await answers(file), 404, file)
  }
})

test('a look that a page takes again and again is no line in the log unless somebody looks for it', async (t) => {
  const { ask } = await visitor()
  await ask('GET', '/backstage/scene')

  const lines = service.output().split('\n')
  const routes = lines.flatMap((line, n) => (/route: "\/backstage\/scene"/.test(line) ? [n] : []))
  t.not(routes.length, 0)
  for (const at of routes) t.regex(lines.slice(Math.max(0, at - 5), at).join('\n'), /DEBUG.*: request/)
})
