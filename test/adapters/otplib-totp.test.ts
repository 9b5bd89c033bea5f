import { createHmac, hash, hkdfSync } from 'node:crypto'
import test from 'ava'
import { OtplibTotp } from '../../src/adapters/totp-otplib/otplib-totp.ts'
import { UnknownOtpKey } from '../../src/application/ports/totp.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { totpContract } from '../contracts/totp.contract.ts'
import { afterNoon, demand, NOON, openChallenge, POLICY } from '../domain/examples.ts'

const key = (id: string, byte: number) => ({ id, bytes: Buffer.alloc(32, byte) })
const K1 = key('k1', 1)
const K2 = key('k2', 2)

totpContract('otplib', () => new OtplibTotp([K1], 6))

const challenge = Challenge.countIssuance(openChallenge(), NOON)
const issuance = OtpIssuance.queue(demand(), challenge, POLICY, NOON)
const totp = new OtplibTotp([K1], 6)
const code = totp.code(issuance, challenge)

/** RFC 4226 §5.3 by hand, at moving factor 0, over the seed as the class says it derives it. */
function byHand(): string {
  const context = JSON.stringify([
    'countersign/otp/1',
    challenge.id,
    challenge.clientId,
    challenge.subjectUserId,
    challenge.operation.type,
    challenge.operation.digest,
    challenge.operation.summary.map(({ label, value }) => [label, value]),
    issuance.recipient,
    issuance.number,
    issuance.issuedAt.toISOString(),
    issuance.expiresAt.toISOString(),
  ])
  const seed = hkdfSync('sha256', K1.bytes, issuance.id, hash('sha256', context, 'buffer'), 32)
  const mac = createHmac('sha256', Buffer.from(seed)).update(Buffer.alloc(8)).digest()
  const offset = mac.at(-1)! & 0x0f
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

test('the code is the RFC 6238 value of step 0 over the derived seed', (t) => {
  t.is(code, byHand())
})

test('a code may have eight digits', (t) => {
  t.regex(new OtplibTotp([K1], 8).code(issuance, challenge), /^\d{8}$/)
})

test('a code of an odd moment or a short life is derived like any other', (t) => {
  const odd = OtpIssuance.queue(demand(), challenge, POLICY, afterNoon(899.999))

  t.regex(totp.code(odd, challenge), /^\d{6}$/)
})

test('a summary of the greatest length allowed can be derived from', (t) => {
  const summary = Array.from({ length: 10 }, () => ({ label: 'ل'.repeat(40), value: '株'.repeat(200) }))
  const long = { ...challenge, operation: { ...challenge.operation, summary } }

  t.regex(totp.code(issuance, long), /^\d{6}$/)
})

const { operation } = challenge
const [amount, payee] = operation.summary

for (const [what, changedIssuance, changedChallenge] of [
  ['issuance', { ...issuance, id: '0197a000-0000-7000-8000-000000000009' }, challenge],
  ['number', { ...issuance, number: 2 }, challenge],
  ['recipient', { ...issuance, recipient: EmailAddress.parse('mallory@example.com') }, challenge],
  ['time of issue', { ...issuance, issuedAt: afterNoon(0.001) }, challenge],
  ['time of expiry', { ...issuance, expiresAt: afterNoon(301) }, challenge],
  ['challenge', issuance, { ...challenge, id: '0197a000-0000-7000-8000-0000000000c2' }],
  ['client', issuance, { ...challenge, clientId: 'shop' }],
  ['subject', issuance, { ...challenge, subjectUserId: 'mallory' }],
  ['operation type', issuance, { ...challenge, operation: { ...operation, type: 'payees.add' } }],
  [
    'operation digest',
    issuance,
    { ...challenge, operation: { ...operation, digest: `B${operation.digest.slice(1)}` } },
  ],
  [
    'summary',
    issuance,
    { ...challenge, operation: { ...operation, summary: [{ ...amount!, value: 'EUR 9,250.00' }, payee!] } },
  ],
  [
    'order of the summary',
    issuance,
    { ...challenge, operation: { ...operation, summary: [payee!, amount!] } },
  ],
] as const) {
  test(`a changed ${what} is another code`, (t) => {
    t.not(totp.code(changedIssuance, changedChallenge), code)
    t.false(totp.matches(code, changedIssuance, changedChallenge))
  })
}

test('a code stays right when its key is rotated out, and wrong under any other key', (t) => {
  const rotated = new OtplibTotp([K2, K1], 6)

  t.is(rotated.activeKeyId(), 'k2')
  t.true(rotated.matches(code, issuance, challenge))
  t.false(rotated.matches(code, { ...issuance, keyId: 'k2' }, challenge))
})

test('a code whose key was taken away is an error of ours, not a wrong code', (t) => {
  const removed = new OtplibTotp([K2], 6)

  t.throws(() => removed.matches(code, issuance, challenge), { instanceOf: UnknownOtpKey, message: /k1/ })
})

test('codes of many issuances spread over the whole range', (t) => {
  const codes = Array.from({ length: 2000 }, (_, n) =>
    totp.code({ ...issuance, id: `0197a000-0000-7000-8000-${String(n).padStart(12, '0')}` }, challenge),
  )

  t.true(new Set(codes).size > 1990)
  const firstDigits = new Set(codes.map((each) => each[0]))
  t.is(firstDigits.size, 10)
})
