import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from './client.ts'

/** The calls of one whole journey, each by its name with the status of its answer. */
export async function journey(client: Client): Promise<Record<string, number | string | undefined>> {
  const userId = `u-${randomUUID()}`
  const email = `${userId}@example.com`
  const crm = await client.issueToken({ client_id: 'crm', scope: 'mfa:users:write' })
  const payments = await client.issueToken({
    client_id: 'payments',
    scope: 'mfa:challenges:create mfa:challenges:consume',
  })
  const user = await client.issueToken({ sub: userId })
  const digest = createHash('sha256').update(userId).digest('base64url')
  const demand = {
    subjectUserId: userId,
    operation: {
      type: 'payments.initiate',
      digest,
      summary: [
        { label: 'Amount', value: 'EUR 1,250.00' },
        { label: 'To', value: 'ACME GmbH' },
      ],
    },
  }

  const put = await client.putUser(crm, userId, email)
  const opened = await client.openChallenge(payments, randomUUID(), demand)
  const initiated = await client.initiate(user, opened.challengeId)
  const code = await codeMailedTo(client, email)
  const wrong = await client.verify(user, opened.challengeId, code === '000000' ? '111111' : '000000')
  const verified = await client.verify(user, opened.challengeId, code)
  const consumed = await client.consume(payments, randomUUID(), opened.challengeId, {
    signature: opened.signature,
    digest,
  })
  const second = await client.openChallenge(payments, randomUUID(), demand)
  const cancelled = await client.cancel(user, second.challengeId)

  return {
    putUser: put,
    openChallenge: opened.status,
    initiateEmail: initiated,
    'verifyEmail, wrong': wrong.code,
    verifyEmail: verified.status,
    consumeChallenge: consumed.status,
    'parts of the authorisation': consumed.authorisation.split('.').length,
    cancelChallenge: cancelled,
  }
}

async function codeMailedTo(client: Client, email: string): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const [mail] = await client.mailsTo(email)
    const code = /(?<!\d)\d{6}(?!\d)/.exec(mail?.text ?? '')?.[0]
    if (code) return code
    await wait(50)
  }
  throw new Error('no code came')
}

/** What a generated client types as perhaps missing. @throws {Error} with the error of the service if it is. */
export function expected<Body>(body: Body | undefined, error: unknown): Body {
  if (body === undefined) throw new Error(JSON.stringify(error))
  return body
}

/** The mailbox answers with a page if the caller prefers one, so its type is text or mails. */
export function mailsIn<Mail>(body: string | Mail[] | object): Mail[] {
  if (!Array.isArray(body)) throw new Error(`not a list of mails: ${JSON.stringify(body)}`)
  return body
}
