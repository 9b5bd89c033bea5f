import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { codeIn, wrongCode } from '../../test/journeys/client.ts'
import { type Ask, mailsOf, openScene, pathOf, type Scene, type Services, settlePerson } from './world.ts'

/** One action of an actor on the challenge that all actors share. */
type Step =
  | { readonly do: 'initiate' | 'read'; readonly as: 'subject' | 'stranger' | 'payments' }
  | { readonly do: 'cancel'; readonly as: 'subject' | 'stranger' | 'payments' | 'cards' }
  | {
      readonly do: 'verify'
      readonly as: 'subject' | 'stranger'
      readonly code: 'newest' | 'oldest' | 'wrong' | 'blank'
    }
  | {
      readonly do: 'consume'
      readonly as: 'payments' | 'cards'
      readonly key: 'k1' | 'k2'
      readonly proof: 'right' | 'another digest' | 'another signature'
    }
  | { readonly do: 'move' | 'erase'; readonly as: 'payments' }

/** The steps of each actor. Actors act at the same time, each one step after the other. */
export interface Play {
  /** The state of the challenge before the steps. */
  readonly from: 'opened' | 'issued' | 'verified'
  readonly actors: readonly (readonly Step[])[]
}

const party = fc.constantFrom(...(['subject', 'subject', 'subject', 'stranger', 'payments'] as const))

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('initiate' as const), as: party }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('verify' as const),
      as: fc.constantFrom(...(['subject', 'subject', 'subject', 'subject', 'stranger'] as const)),
      code: fc.constantFrom(...(['newest', 'newest', 'oldest', 'wrong', 'wrong', 'blank'] as const)),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      as: fc.constantFrom(...(['payments', 'payments', 'payments', 'payments', 'cards'] as const)),
      key: fc.constantFrom(...(['k1', 'k2'] as const)),
      proof: fc.constantFrom(
        ...(['right', 'right', 'right', 'another digest', 'another signature'] as const),
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), as: party }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      as: fc.constantFrom(...(['subject', 'stranger', 'payments', 'cards'] as const)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['move', 'erase'] as const)),
      as: fc.constant('payments' as const),
    }),
  },
)

export const plays: fc.Arbitrary<Play> = fc.record({
  from: fc.constantFrom(...(['opened', 'issued', 'issued', 'verified', 'verified'] as const)),
  actors: fc.array(fc.array(steps, { minLength: 1, maxLength: 7, size: 'max' }), {
    minLength: 1,
    maxLength: 4,
    size: 'max',
  }),
})

interface Deed {
  readonly step: Step
  readonly status: number
  readonly body: string
  /** The typed code. */
  readonly code?: string
  readonly beganAt: number
  readonly endedAt: number
}

const MFA = '/internal/v1/mfa'
/** The service's default. */
const MAX_ATTEMPTS = 5
/** How long to wait for a promised mail, which may have been withheld. */
const MAIL_PATIENCE_IN_MS = 300

/** Plays the steps on a new challenge of a new user, and returns the violations. `stage` makes all other requests. */
export async function brokenRules(
  stage: Ask,
  ask: Ask,
  services: Services,
  play: Play,
): Promise<readonly string[]> {
  const [person, stranger] = await Promise.all([settlePerson(stage, services), settlePerson(stage, services)])
  const scene = await openScene(stage, services, 'played with', person)
  const playing = new Playing(stage, ask, services, scene, stranger.token)
  const prelude: Step[] = [
    ...(play.from === 'opened' ? [] : [{ do: 'initiate', as: 'subject' } as const]),
    ...(play.from === 'verified' ? [{ do: 'verify', as: 'subject', code: 'newest' } as const] : []),
  ]
  await playing.act(prelude)
  await Promise.all(play.actors.map((steps) => playing.act(steps)))
  return playing.verdict()
}

class Playing {
  readonly #services: Services
  readonly #stage: Ask
  readonly #ask: Ask
  readonly #scene: Scene
  readonly #stranger: string
  readonly #deeds: Deed[] = []
  /** The codes of all mails about the challenge. */
  readonly #codes = new Set<string>()

  constructor(stage: Ask, ask: Ask, services: Services, scene: Scene, stranger: string) {
    this.#services = services
    this.#stage = stage
    this.#ask = ask
    this.#scene = scene
    this.#stranger = stranger
  }

  async act(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const code = step.do === 'verify' ? await this.#codeFor(step.code) : undefined
      const beganAt = performance.now()
      const { status, body } = await this.#perform(step, code)
      this.#deeds.push({
        step,
        status,
        body,
        ...(code !== undefined && { code }),
        beganAt,
        endedAt: performance.now(),
      })
    }
  }

  async verdict(): Promise<readonly string[]> {
    await this.#codesSoFar()
    const verified = this.#succeeded('verify')
    const consumed = this.#succeeded('consume')
    const judged = this.#deeds.filter(({ step, body }) => step.do === 'verify' && /:INVALID_OTP"/.test(body))
    const status = await this.#status()
    const rule = (holds: boolean, broken: string) => (holds ? [] : [broken])
    return [
      ...rule(
        verified.every(({ code }) => this.#codes.has(code!)),
        'a code verified that was never mailed',
      ),
      ...rule(
        verified.every(({ step }) => step.as === 'subject'),
        'somebody else verified',
      ),
      ...rule(verified.length <= 1, `${verified.length} codes verified`),
      ...rule(judged.length <= MAX_ATTEMPTS, `${judged.length} wrong codes were judged`),
      ...rule(
        consumed.every(
          ({ step }) => step.do === 'consume' && step.as === 'payments' && step.proof === 'right',
        ),
        'it was consumed by another, or with a proof of something else',
      ),
      ...rule(
        new Set(consumed.map(({ step }) => step.do === 'consume' && step.key)).size <= 1,
        'it was consumed under two keys',
      ),
      ...rule(new Set(consumed.map(({ body }) => body)).size <= 1, 'one consumption has two answers'),
      ...rule(
        consumed.every(({ endedAt }) => verified.some(({ beganAt }) => beganAt < endedAt)),
        'it was consumed, and no code had verified it',
      ),
      ...rule(
        this.#succeeded('initiate').every(({ step }) => step.as === 'subject'),
        'somebody else had a code sent',
      ),
      ...rule(
        [...this.#succeeded('cancel'), ...this.#succeeded('read')].every(({ step }) =>
          ['subject', 'payments'].includes(step.as),
        ),
        'somebody who has no part in it read or cancelled it',
      ),
      ...rule(
        consumed.length === 0 || this.#succeeded('cancel').length === 0,
        'it was both consumed and cancelled',
      ),
      ...rule(
        consumed.length > 0 === (status === 'consumed'),
        `${consumed.length} consumptions, and it is ${status}`,
      ),
      ...rule(
        status !== 'verified' || verified.length === 1,
        `it is verified, and ${verified.length} codes did that`,
      ),
      ...(await this.#trailFaults(verified.length, consumed.length)),
    ]
  }

  #succeeded(what: Step['do']): readonly Deed[] {
    return this.#deeds.filter(({ step, status }) => step.do === what && status < 300)
  }

  #perform(step: Step, code: string | undefined) {
    const { challengeId, person, digest, signature } = this.#scene
    const { payments, cards } = this.#services
    const token = { subject: person.token, stranger: this.#stranger, payments, cards }[step.as]
    const user = `${MFA}/users/${encodeURIComponent(person.userId)}`
    const challenge = `${MFA}/challenges/${challengeId}`
    switch (step.do) {
      case 'initiate':
        return this.#ask('POST', pathOf(this.#scene, 'initiate'), { token })
      case 'verify':
        return this.#ask('POST', pathOf(this.#scene, 'verify'), { token, json: { totp: code } })
      case 'read':
        return this.#ask('GET', challenge, { token })
      case 'cancel':
        return this.#ask('POST', `${challenge}:cancel`, { token })
      case 'consume': {
        const json = {
          signature: step.proof === 'another signature' ? `${signature.slice(0, -8)}AAAAAAAA` : signature,
          digest: step.proof === 'another digest' ? `${'A'.repeat(42)}A` : digest,
        }
        const headers = { 'plmr-idempotency-key': `${challengeId}-${step.key}` }
        return this.#ask('POST', `${challenge}:consume`, { token, json, headers })
      }
      case 'move':
        return this.#ask('PUT', user, { token, json: { email: `moved.${person.address}` } })
      case 'erase':
        return this.#ask('DELETE', user, { token })
    }
  }

  async #codeFor(which: 'newest' | 'oldest' | 'wrong' | 'blank'): Promise<string> {
    if (which === 'blank') return ' '
    const promised = this.#succeeded('initiate').length
    const giveUpAt = performance.now() + MAIL_PATIENCE_IN_MS
    let codes = await this.#codesSoFar()
    while (codes.length < promised && performance.now() < giveUpAt) {
      await wait(20)
      codes = await this.#codesSoFar()
    }
    const newest = codes[0] ?? '000000'
    if (which === 'wrong') return wrongCode(newest)
    return which === 'newest' ? newest : (codes.at(-1) ?? newest)
  }

  /** Newest first. After a change of address, mails go to the new one, and belong to challenges that have ended. */
  async #codesSoFar(): Promise<readonly string[]> {
    const codes = (await mailsOf(this.#stage, this.#scene)).map(codeIn)
    for (const code of codes) this.#codes.add(code)
    return codes
  }

  async #status(): Promise<string> {
    const { body } = await this.#ask('GET', `${MFA}/challenges/${this.#scene.challengeId}`, {
      token: this.#services.payments,
    })
    return JSON.parse(body).status
  }

  async #trailFaults(verified: number, consumptions: number): Promise<readonly string[]> {
    const { body } = await this.#ask('GET', `${MFA}/challenges/${this.#scene.challengeId}/events`, {
      token: this.#services.payments,
    })
    const types = (JSON.parse(body).events as { type: string }[]).map(({ type }) => type)
    const count = (type: string) => types.filter((each) => each === type).length
    return [
      ...(count('challenge-verified') === verified
        ? []
        : ['the trail knows of another number of verifications']),
      ...(count('challenge-consumed') === Math.min(consumptions, 1)
        ? []
        : ['the trail knows of another number of consumptions']),
    ]
  }
}
