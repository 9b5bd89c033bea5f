import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { styleText } from 'node:util'
import { type StartedService, startedService } from './started-service.ts'

/*
 * `npm run demo`: the whole journey in the terminal, over HTTP. It uses the service that runs on this machine, or starts
 * one. It plays three parts: the bank's payments service, the user's app, and the user who reads the mail.
 */

const SERVICE = `http://${process.env.HOST ?? '127.0.0.1'}:${process.env.PORT ?? 3000}`

const { url, stop } = (await isCountersign(SERVICE))
  ? { url: SERVICE, stop: async () => {} }
  : await startService()
try {
  await journey()
} finally {
  await stop()
}

async function journey(): Promise<void> {
  const user = `demo-${randomUUID().slice(0, 8)}`
  const email = `${user}@example.com`

  say(`A bank's customer wants to pay EUR 1,250.00 to ACME GmbH.
Before it pays, the bank wants the customer to confirm the payment with a code from an e-mail.
The code confirms only this payment. Countersign runs at ${url}.`)

  step(1, "The bank gives Countersign the customer's address")
  const crm = await token({ client_id: 'crm', scope: 'mfa:users:write' })
  await call('PUT', `/internal/v1/mfa/users/${user}`, crm, { email, locale: 'en', displayName: 'Alex Doe' })

  step(2, 'The payments service opens a challenge for this payment')
  const transfer = {
    amount: '1250.00',
    currency: 'EUR',
    creditor: 'ACME GmbH',
    iban: 'DE89370400440532013000',
  }
  const digest = createHash('sha256').update(JSON.stringify(transfer)).digest('base64url')
  const payments = await token({
    client_id: 'payments',
    scope: 'mfa:challenges:create mfa:challenges:consume',
  })
  const challenge = await call(
    'POST',
    '/internal/v1/mfa/challenges',
    payments,
    {
      subjectUserId: user,
      operation: {
        type: 'payments.initiate',
        digest,
        summary: [
          { label: 'Amount', value: 'EUR 1,250.00' },
          { label: 'To', value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
        ],
      },
    },
    { 'plmr-idempotency-key': randomUUID() },
  )
  const [method] = challenge.methods

  step(3, "The customer's app asks for a code, with the customer's own token")
  const customer = await token({ sub: user })
  await call('POST', method.initiate, customer)

  step(4, 'A mail arrives')
  const mail = await mailTo(email)
  show(`Subject: ${mail.subject}\n\n${mail.text}`)

  step(5, 'Countersign refuses a wrong code, and says how many attempts are left')
  const code = /\b\d{6,8}\b/.exec(mail.text)![0]
  const wrong = code.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
  await call('POST', method.verify, customer, { totp: wrong })

  step(6, 'The code from the mail verifies the challenge')
  await call('POST', method.verify, customer, { totp: code })

  step(7, 'The same code does not work twice')
  await call('POST', method.verify, customer, { totp: code })

  step(8, 'The payments service consumes the approval of this payment, and pays')
  const proof = { signature: challenge.signature, digest }
  const consume = (key: string) =>
    call('POST', `/internal/v1/mfa/challenges/${challenge.challengeId}:consume`, payments, proof, {
      'plmr-idempotency-key': key,
    })
  await consume('transfer-1')

  step(9, 'A second payment needs an approval of its own')
  await consume('transfer-2')
}

/** Makes a call and shows request and answer. */
async function call(
  method: string,
  path: string,
  accessToken: string,
  json?: unknown,
  headers: Record<string, string> = {},
) {
  console.log(styleText('bold', `  ${method} ${path}`))
  if (json) show(JSON.stringify(json, undefined, 2))
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${accessToken}`,
      ...(json ? { 'Content-Type': 'application/json' } : {}),
      ...headers,
    },
    ...(json ? { body: JSON.stringify(json) } : {}),
  })
  const text = await response.text()
  const color = response.ok ? 'green' : 'yellow'
  console.log(styleText(color, `  → ${response.status} ${response.statusText}`))
  const left = response.headers.get('RateLimit')
  if (left) console.log(styleText(color, `    RateLimit: ${left}`))
  const body = text === '' ? undefined : JSON.parse(text)
  if (body) show(JSON.stringify(body, undefined, 2))
  return body
}

async function token(request: Record<string, string>): Promise<string> {
  const response = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
  })
  if (!response.ok) throw new Error(`no token from ${url}/dev/token: is it a development service?`)
  return (await json<{ access_token: string }>(response)).access_token
}

async function mailTo(address: string): Promise<{ subject: string; text: string }> {
  for (let tries = 0; tries < 100; tries++) {
    const response = await fetch(`${url}/dev/mailbox?to=${encodeURIComponent(address)}`)
    const [mail] = await json<{ subject: string; text: string }[]>(response)
    if (mail) return mail
    await wait(50)
  }
  throw new Error('no mail came within five seconds')
}

async function isCountersign(at: string): Promise<boolean> {
  try {
    return (await json<{ status: string }>(await fetch(`${at}/healthz`))).status === 'alive'
  } catch {
    return false
  }
}

function startService(): Promise<StartedService> {
  console.log(styleText('dim', 'No service runs on this machine: starting one …'))
  return startedService()
}

async function json<Body>(response: Response): Promise<Body> {
  return (await response.json()) as Body
}

function step(number: number, title: string): void {
  console.log(styleText(['bold', 'cyan'], `\n${number}. ${title}\n`))
}

function say(text: string): void {
  console.log(`\n${text}`)
}

/** Prints the text indented, and shortens what nobody reads, such as a signature. */
function show(text: string): void {
  const readable = text.replaceAll(/[\w.-]{100,}/g, (long) => `${long.slice(0, 24)}…`)
  console.log(styleText('dim', readable.replaceAll(/^/gm, '    ')))
}
