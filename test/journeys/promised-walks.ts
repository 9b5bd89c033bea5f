import type pg from 'pg'
import { call, type Reply } from '../support/http-call.ts'
import { codeIn, mailsTo, openChallenge, paymentsToken, registerUser } from './client.ts'

type Steps = Set<'opened' | 'issued' | 'verified' | 'consumed'>

/** Steps that the service has answered with success, by challenge. */
export type Promised = Map<string, Steps>

/**
 * Walks from a new user to a consumed challenge, noting every success that was answered; `step` is told of each. Rejects where
 * the service does not go along.
 */
export async function walk(url: string, promised: Promised, step = () => {}): Promise<void> {
  const user = await registerUser(url)
  const token = await paymentsToken(url)
  const challenge = await openChallenge(url, user.userId)
  const steps: Steps = new Set(['opened'])
  promised.set(challenge.id, steps)
  step()

  expectStatus(204, await call(url, 'POST', challenge.initiate, { token: user.token }))
  steps.add('issued')
  step()
  const [mail] = await mailsTo(url, user.email)
  const json = { totp: codeIn(mail!) }
  expectStatus(204, await call(url, 'POST', challenge.verify, { token: user.token, json }))
  steps.add('verified')
  step()
  const headers = { 'plmr-idempotency-key': challenge.id }
  expectStatus(200, await call(url, 'POST', challenge.consume, { token, json: challenge.proof, headers }))
  steps.add('consumed')
  step()
}

function expectStatus(expected: number, { status }: Reply): void {
  if (status !== expected) throw new Error(`answered ${status}`)
}

/** What was answered with success and is not stored, and what is stored and nobody has decided. Both have to be empty. */
export async function brokenPromises(db: pg.Pool, promised: Promised): Promise<string[]> {
  const { rows } = await db.query<{ id: string; status: string; issuances: number; decided: string[] }>(`
    SELECT c.id, c.status, (SELECT count(*)::integer FROM otp_issuances i WHERE i.challenge_id = c.id) AS issuances,
      array_agg(e.type ORDER BY e.id) FILTER (WHERE e.type LIKE 'challenge-%') AS decided
    FROM challenges c LEFT JOIN challenge_events e ON e.challenge_id = c.id
    GROUP BY c.id`)
  const stored = new Map(rows.map((row) => [row.id, row]))
  const broken: string[] = []
  for (const [id, steps] of promised) {
    const { status, issuances } = stored.get(id) ?? { status: 'missing', issuances: 0 }
    if (status === 'missing') broken.push(`${id} was opened, and is not stored`)
    if (steps.has('issued') && issuances !== 1) broken.push(`${id} has ${issuances} issuances`)
    if (steps.has('verified') && !['verified', 'consumed'].includes(status))
      broken.push(`${id} was verified, and is ${status}`)
    if (steps.has('consumed') && status !== 'consumed') broken.push(`${id} was consumed, and is ${status}`)
  }
  const way = ['challenge-opened', 'challenge-verified', 'challenge-consumed']
  for (const { id, status, decided } of rows) {
    const expected = way.slice(0, ['pending', 'verified', 'consumed'].indexOf(status) + 1)
    if (decided.join() !== expected.join()) broken.push(`${id} is ${status} by ${decided}`)
  }
  return broken
}
