import test from 'ava'
import type { Totp } from '../../src/application/ports/totp.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { afterNoon, demand, NOON, openChallenge, POLICY } from '../domain/examples.ts'

/** What the use cases rely on, whoever derives the codes. `create` gives a new instance over the same keys. */
export function totpContract(adapter: string, create: () => Totp): void {
  const challenge = Challenge.countIssuance(openChallenge(), NOON)
  const issue = (totp: Totp, now = NOON) =>
    OtpIssuance.queue({ ...demand(), keyId: totp.activeKeyId() }, challenge, POLICY, now)

  test(`${adapter}: a code is six digits`, (t) => {
    const totp = create()

    t.regex(totp.code(issue(totp), challenge), /^\d{6}$/)
  })

  test(`${adapter}: every instance derives the same code`, (t) => {
    const issuance = issue(create())

    t.is(create().code(issuance, challenge), create().code(issuance, challenge))
  })

  test(`${adapter}: the code of an issuance matches it, whatever became of its mail`, (t) => {
    const totp = create()
    const issuance = issue(totp)
    const code = totp.code(issuance, challenge)
    const [sent] = OtpIssuance.markSent({ ...issuance, deliveryAttempts: 3 }, 'm-1', afterNoon(1))

    t.true(totp.matches(code, issuance, challenge))
    t.true(totp.matches(code, sent, challenge))
  })

  test(`${adapter}: nothing but the very digits matches, and nothing throws`, (t) => {
    const totp = create()
    const issuance = issue(totp)
    const code = totp.code(issuance, challenge)
    const wide = [...code].map((digit) => String.fromCodePoint(digit.codePointAt(0)! + 0xfee0)).join('')

    const others = [
      '',
      ' ',
      code.slice(1),
      `${code}0`,
      `0${code}`,
      ` ${code}`,
      `${code}\n`,
      'abcdef',
      wide,
      '\u0000',
    ]
    for (const other of others) t.false(totp.matches(other, issuance, challenge), JSON.stringify(other))
  })
}
