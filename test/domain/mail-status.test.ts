import test from 'ava'
import { MailStatus } from '../../src/domain/mail-status.ts'

for (const code of ['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1']) {
  test(`${code} says that an address takes no mail`, (t) => t.true(MailStatus.refusesMailbox(code)))
}

for (const code of ['4.1.1', '5.1.4', '5.1.5', '5.1.0', '5.1.100', '5.1', '5.2.2', '5.7.1', '15.1.1', '']) {
  test(`${JSON.stringify(code)} does not say that an address takes no mail`, (t) => {
    t.false(MailStatus.refusesMailbox(code))
  })
}
