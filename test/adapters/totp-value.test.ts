import test from 'ava'
import { totpValue } from '../../src/adapters/totp-otplib/totp-value.ts'

/** The secret of both appendices, repeated to the length of the hash. */
const seedOf = (bytes: number) => Buffer.from('12345678901234567890'.repeat(4).slice(0, bytes))

/** RFC 4226 appendix D: the values of the counters 0 to 9. */
const HOTP = [
  '755224',
  '287082',
  '359152',
  '969429',
  '338314',
  '254676',
  '287922',
  '162583',
  '399871',
  '520489',
]

for (const [counter, value] of HOTP.entries()) {
  test(`RFC 4226 appendix D: counter ${counter} has the value ${value}`, (t) => {
    // With steps of one second from 0 on, the moving factor is the time itself.
    t.is(totpValue(seedOf(20), { t0: 0, period: 1, at: counter }, 6, 'sha1'), value)
    t.is(totpValue(seedOf(20), { t0: 1000, period: 30, at: 1000 + 30 * counter + 29 }, 6, 'sha1'), value)
  })
}

/** RFC 6238 appendix B: a time, and its values of eight digits. */
const TOTP = [
  [59, '94287082', '46119246', '90693936'],
  [1_111_111_109, '07081804', '68084774', '25091201'],
  [1_111_111_111, '14050471', '67062674', '99943326'],
  [1_234_567_890, '89005924', '91819424', '93441116'],
  [2_000_000_000, '69279037', '90698825', '38618901'],
  [20_000_000_000, '65353130', '77737706', '47863826'],
] as const

for (const [at, sha1, sha256, sha512] of TOTP) {
  for (const [algorithm, bytes, value] of [
    ['sha1', 20, sha1],
    ['sha256', 32, sha256],
    ['sha512', 64, sha512],
  ] as const) {
    test(`RFC 6238 appendix B: at ${at} the value by ${algorithm} is ${value}`, (t) => {
      t.is(totpValue(seedOf(bytes), { t0: 0, period: 30, at }, 8, algorithm), value)
      // Truncation is modulo a power of ten (RFC 4226 §5.3), so shorter codes are the ends of longer ones.
      t.is(totpValue(seedOf(bytes), { t0: 0, period: 30, at }, 7, algorithm), value.slice(1))
      t.is(totpValue(seedOf(bytes), { t0: 0, period: 30, at }, 6, algorithm), value.slice(2))
    })
  }
}

test('without another word the hash is SHA-256, as codes have it', (t) => {
  t.is(totpValue(seedOf(32), { t0: 0, period: 30, at: 59 }, 8), '46119246')
})
