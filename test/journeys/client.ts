import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { bucketOf } from '../../src/domain/bucket.ts'
import { call } from '../support/http-call.ts'

/** What the three parties of a journey do, over HTTP against any instance of a service. */

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

export async function tokenOf(
  url: string,
  request: { sub: string } | { client_id: string; scope: string },
): Promise<string> {
  const { body } = await call(url, 'POST', '/dev/token', { json: request })
  return body.access_token
}

export const crmToken = (url: string) => tokenOf(url, { client_id: 'crm', scope: 'mfa:users:write' })
export const paymentsToken = (url: string) =>
  tokenOf(url, {
    client_id: 'payments',
    scope: 'mfa:challenges:create mfa:challenges:consume mfa:audit:read',
  })

/** A user of a fresh id and address in the directory, with a token. `bucket` asks for an id in that bucket. */
export async function registerUser(url: string, bucket?: number) {
  let userId: string
  do userId = `u-${randomUUID()}`
  while (bucket !== undefined && bucketOf(userId) !== bucket)
  const email = `${userId}@example.com`
  const token = await crmToken(url)
  // A service that is starved of CPU may say 503 for a moment, which asks for a repeat.
  await until(
    () => call(url, 'PUT', `/internal/v1/mfa/users/${userId}`, { token, json: { email, locale: 'en' } }),
    ({ status }) => status === 201 || status === 200,
  )
  return { userId, email, token: await tokenOf(url, { sub: userId }) }
}

export function randomDigest(): string {
  return createHash('sha256').update(randomUUID()).digest('base64url')
}

/** Asks for a challenge for a payment of EUR 1,250.00, under the key. */
export async function demandChallenge(url: string, subjectUserId: string, digest: string, key: string) {
  return call(url, 'POST', '/internal/v1/mfa/challenges', {
    token: await paymentsToken(url),
    headers: { 'plmr-idempotency-key': key },
    json: {
      subjectUserId,
      operation: {
        type: 'payments.initiate',
        digest,
        summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
      },
    },
  })
}

/** A challenge for a payment of EUR 1,250.00; the paths of its actions with it. */
export async function openChallenge(url: string, subjectUserId: string) {
  const digest = randomDigest()
  const { body, status } = await demandChallenge(url, subjectUserId, digest, randomUUID())
  if (status !== 201) throw new Error(`no challenge: ${status} ${JSON.stringify(body)}`)
  const [method] = body.methods
  const id = body.challengeId as string
  return {
    id,
    initiate: method.initiate as string,
    verify: method.verify as string,
    consume: `/internal/v1/mfa/challenges/${id}:consume`,
    /** What the operation service sends to consume it. */
    proof: { signature: body.signature as string, digest },
    body,
  }
}

/** The mails to `address`, those that are meant if not all are, once there are `count`. */
export async function mailsTo(
  url: string,
  address: string,
  count = 1,
  isMeant: (mail: Mail) => boolean = () => true,
): Promise<Mail[]> {
  const path = `/dev/mailbox?to=${encodeURIComponent(address)}`
  return until(
    async () => ((await call(url, 'GET', path)).body as Mail[]).filter(isMeant),
    (mails) => mails.length >= count,
  )
}

const CODE = /(?<!\d)\d{6}(?!\d)/

/** What warns of a lock has none. */
export function hasCode({ text }: Pick<Mail, 'text'>): boolean {
  return CODE.test(text)
}

export function codeIn({ text }: Pick<Mail, 'text'>): string {
  const code = CODE.exec(text)?.[0]
  if (!code) throw new Error('no code in the mail')
  return code
}

export function wrongCode(code: string): string {
  return code.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
}

/** Looks again and again, until what it sees is as it should be. */
export async function until<Seen>(
  look: () => Promise<Seen>,
  asItShouldBe: (seen: Seen) => boolean,
  patienceInMs = 40_000,
): Promise<Seen> {
  const giveUpAt = performance.now() + patienceInMs
  for (;;) {
    const seen = await look()
    if (asItShouldBe(seen)) return seen
    if (performance.now() > giveUpAt) throw new Error(`never came true: ${JSON.stringify(seen)}`)
    await wait(20)
  }
}
