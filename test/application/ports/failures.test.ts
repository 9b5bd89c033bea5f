import test from 'ava'
import {
  AccessTokenInsufficient,
  AccessTokenRefused,
  IssuerUnavailable,
} from '../../../src/application/ports/access-tokens.ts'
import { UnknownOtpKey } from '../../../src/application/ports/totp.ts'
import { DirectoryUnavailable } from '../../../src/application/ports/user-directory.ts'
import { WebhookSecretLost } from '../../../src/application/ports/webhook-secrets.ts'

for (const Refusal of [AccessTokenRefused, AccessTokenInsufficient]) {
  test(`${Refusal.name} keeps its reason for the log out of its message`, (t) => {
    const error = new Refusal('the audience is another one')

    t.is(error.reason, 'the audience is another one')
    t.regex(error.message, /^The access token (?:was refused|does not allow)/)
    t.notRegex(error.message, /audience/)
  })
}

test('an issuer that cannot be reached is named as such, with the cause', (t) => {
  const cause = new Error('ECONNREFUSED')

  const error = new IssuerUnavailable(cause)

  t.is(error.cause, cause)
  t.regex(error.message, /keys of the token issuer/)
})

test('a failure says which key or which directory answer is missing', (t) => {
  t.regex(new UnknownOtpKey('k7').message, /no OTP key k7/)
  t.regex(new WebhookSecretLost('k7').message, /OTP_KEYS has no key k7/)
  t.regex(new DirectoryUnavailable('no answer').message, /user directory.* no answer/)
})
