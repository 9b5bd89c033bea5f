import { verifyAuthorisation } from '../../packages/kit/src/authorisation.ts'
import { PAYMENTS } from './place.ts'
import type { CheckResults, Evidence } from './reconciliation.ts'
import type { Stored, StoredChallenge } from './stored.ts'

/**
 * Each challenge was consumed at most once, under one key. All answers about it are the same: they match the stored state, and carry
 * a signature of the service.
 */
export async function consumptions(
  { ledger, jwks }: Evidence,
  { challenges, events }: Stored,
): Promise<CheckResults> {
  const violations: string[] = []
  const consumes = ledger.calls.filter(({ step, status }) => step === 'consume' && status === 200)
  const given = Map.groupBy(consumes, ({ about }) => about)
  const consumed = Map.groupBy(
    events.filter(({ type }) => type === 'challenge-consumed'),
    ({ challengeId }) => challengeId!,
  )
  for (const [id, times] of consumed) {
    if (times.length > 1) violations.push(`${id} was consumed ${times.length} times`)
  }
  for (const [id, answers] of given) {
    const challenge = challenges.get(id)
    const bodies = new Set(answers.map(({ body }) => JSON.stringify(body)))
    if (bodies.size > 1) violations.push(`${id} was given away as ${bodies.size} approvals`)
    const keys = new Set(answers.map(({ said }) => said.key))
    if (keys.size > 1 || !keys.has(challenge?.consumptionKey ?? undefined)) {
      violations.push(
        `${id} was given away under ${[...keys]}, and is stored under ${challenge?.consumptionKey}`,
      )
    }
    if (challenge) violations.push(...(await approvalViolations(challenge, answers[0]!.body, jwks)))
  }
  for (const { step, code, about, requestId } of ledger.calls) {
    if (step !== 'consume' || code !== 'CHALLENGE_ALREADY_CONSUMED') continue
    if (!consumed.has(about)) violations.push(`${about} (${requestId}) was said to be consumed, and is not`)
  }
  return {
    figures: {
      'challenges opened': challenges.size,
      'approvals given away': given.size,
      'of them given away again to the same call': consumes.length - given.size,
      'challenges consumed': consumed.size,
    },
    violations,
  }
}

async function approvalViolations(
  challenge: StoredChallenge,
  // biome-ignore lint/suspicious/noExplicitAny: its content is what is checked
  body: any,
  jwks: Evidence['jwks'],
): Promise<string[]> {
  const { id, subject, digest, verifiedAt, consumedAt } = challenge
  try {
    const said = await verifyAuthorisation(body.authorisation, {
      jwks,
      ...{ audience: PAYMENTS, digest, at: new Date(body.consumedAt) },
    })
    const isIt =
      [said.challengeId, body.challengeId].every((each) => each === id) &&
      [said.subjectUserId, body.subjectUserId].every((each) => each === subject) &&
      body.operation.digest === digest &&
      Date.parse(body.verifiedAt) === verifiedAt?.getTime() &&
      Date.parse(body.consumedAt) === consumedAt?.getTime()
    return isIt ? [] : [`${id} was given away as another approval than is stored`]
  } catch (error) {
    return [`${id} was given away with an authorisation that does not hold: ${String(error)}`]
  }
}
