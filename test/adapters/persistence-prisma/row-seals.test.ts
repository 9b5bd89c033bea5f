import test from 'ava'
import { RowSeals } from '../../../src/adapters/persistence-prisma/seals/row-seals.ts'
import { UnknownOtpKey } from '../../../src/application/ports/totp.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { afterNoon, demand, freshStepUp, NOON, openChallenge, POLICY } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const K1 = { id: 'k1', bytes: Buffer.alloc(32, 1) }
const K2 = { id: 'k2', bytes: Buffer.alloc(32, 2) }
const clock = { now: () => NOON }
const challenge = openChallenge()
const NONE = { c_demand_seal: null, c_approval_seal: null, c_consumption_seal: null, i_seal: null }

const sealsOf = (seals: RowSeals) => ({ ...NONE, c_demand_seal: seals.ofDemand(challenge) })

test('a seal names its key, and is the MAC of RFC 2104 under a key that is derived from it', (t) => {
  const { c_demand_seal: seal } = sealsOf(new RowSeals([K1], clock))

  // Computed apart: HKDF-SHA-256 without salt, info "countersign/seal/1", then HMAC-SHA-256 over the JSON of the facts.
  t.is(seal, 'k1:9SvyzXtAK5x7agtL7Ws544C0NDzGC0sJF_XPJhqTZ7Q')
})

test('a seal holds while its key is configured, also when another one seals', (t) => {
  const before = sealsOf(new RowSeals([K1], clock))

  const rotated = new RowSeals([K2, K1], clock)

  t.is(rotated.forgeryIn(before, challenge, undefined), undefined)
  t.regex(rotated.ofDemand(challenge), /^k2:/)
})

test('a seal under a key that is not configured is an error, and counted: nobody can say whether it holds', (t) => {
  let misses = 0
  const seals = new RowSeals([K2], clock, undefined, () => void misses++)

  t.throws(() => seals.forgeryIn(sealsOf(new RowSeals([K1], clock)), challenge, undefined), {
    instanceOf: UnknownOtpKey,
  })
  t.is(misses, 1)
})

test('a challenge that has ended or expired is read without its key', (t) => {
  let misses = 0
  const later = new RowSeals([K2], { now: () => afterNoon(900) }, undefined, () => void misses++)
  const [cancelled] = Challenge.cancel(challenge, 'by-client', NOON)
  const before = sealsOf(new RowSeals([K1], clock))

  for (const over of [challenge, cancelled]) t.is(later.forgeryIn(before, over, undefined), undefined)
  t.is(misses, 0)
})

test('a seal under the same key id of another key is broken, and so is one that is cut or none at all', (t) => {
  const seals = new RowSeals([K1], clock)
  const strange = new RowSeals([{ ...K2, id: 'k1' }], clock).ofDemand(challenge)
  const own = seals.ofDemand(challenge)

  for (const seal of [strange, '', 'k1', 'k1:', own.slice(0, -1), `${own}A`, own.replace('k1:', '')]) {
    t.is(seals.forgeryIn({ ...NONE, c_demand_seal: seal }, challenge, undefined), 'broken-seal', seal)
  }
})

test('a seal of one kind is none of another', (t) => {
  const seals = new RowSeals([K1], clock)
  const decision = StepUp.issueOtp(freshStepUp(), demand(), POLICY, NOON)
  const c_demand_seal = seals.ofDemand(challenge)
  const i_seal = seals.ofDecision(decision).issuance

  t.is(seals.forgeryIn({ ...NONE, c_demand_seal, i_seal }, decision.challenge, decision.issued), undefined)
  const swapped = { ...NONE, c_demand_seal: i_seal, i_seal: c_demand_seal }
  t.is(seals.forgeryIn(swapped, decision.challenge, decision.issued), 'broken-seal')
})

test('a decision seals what it brings about, and nothing that was there before', (t) => {
  const seals = new RowSeals([K1], clock)
  const {
    challenge: issued,
    issued: issuance,
    standing,
  } = StepUp.issueOtp(freshStepUp(), demand(), POLICY, NOON)
  const [verified] = Challenge.verify(issued, issuance.id, afterNoon(1))
  const [consumed, consumption] = Challenge.consume(verified, { key: 'k', fingerprint: 'f' }, afterNoon(2))
  const [, refusal] = Challenge.refuseConsumption(
    consumed,
    'digest-mismatch',
    { key: 'k', fingerprint: 'f' },
    afterNoon(3),
  )
  const sealed = (decision: Parameters<RowSeals['ofDecision']>[0]) =>
    Object.entries(seals.ofDecision(decision)).flatMap(([kind, seal]) => (seal === null ? [] : [kind]))

  t.deepEqual(sealed({ challenge: issued, standing, issued: issuance, events: [] }), ['issuance'])
  t.deepEqual(sealed({ challenge: verified, standing, verifiedBy: issuance, events: [] }), ['approval'])
  t.deepEqual(sealed({ challenge: verified, standing, events: refusal }), [])
  t.deepEqual(sealed({ challenge: consumed, standing, events: [consumption] }), ['consumption'])
  t.deepEqual(sealed({ challenge: consumed, standing, events: refusal }), [])
})

test('during an update a row without a seal counts until the instant that is configured, and a broken seal never', (t) => {
  const settable = new SettableClock(NOON)
  const seals = new RowSeals([K1], settable, afterNoon(60))
  const broken = sealsOf(new RowSeals([{ ...K2, id: 'k1' }], clock))
  settable.pass(59.999)

  t.is(seals.forgeryIn(NONE, challenge, undefined), undefined)
  t.is(seals.forgeryIn(broken, challenge, undefined), 'broken-seal')
  settable.pass(0.001)
  t.is(seals.forgeryIn(NONE, challenge, undefined), 'unsealed')
  t.is(new RowSeals([K1], clock).forgeryIn(NONE, challenge, undefined), 'unsealed')
})
