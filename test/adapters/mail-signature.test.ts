import test from 'ava'
import { dkimSigner } from '../../src/adapters/mail-smtp/dkim-signer.ts'
import { mailContent } from '../../src/adapters/mail-smtp/mail-content.ts'
import { smtpSender } from '../../src/adapters/mail-smtp/smtp-sender.ts'
import { otpMail } from '../contracts/mail-transport.contract.ts'
import { newDkimKey, recordOf } from '../doubles/dkim-key.ts'
import { dnsServer } from '../doubles/dns-server.ts'
import { hasRspamd, startRspamd } from '../support/spam-filters.ts'

const ARRIVAL = { ip: '198.51.100.7', helo: 'relay.bank.example', from: 'no-reply@bank.example' }
const ELSEWHERE = { ...ARRIVAL, ip: '203.0.113.9' }

/* The rules of rspamd are its words for what a receiver found: each names the check and its outcome. */
;(hasRspamd ? test : test.skip)(
  `rspamd verifies the signature, and takes DMARC for passed by it alone${hasRspamd ? '' : ' (it is not installed)'}`,
  async (t) => {
    const key = newDkimKey('mail2026')
    const dns = await dnsServer(t, {
      'bank.example': ['v=spf1 ip4:198.51.100.0/24 -all'],
      '_dmarc.bank.example': ['v=DMARC1; p=reject; adkim=s; aspf=s'],
      'mail2026._domainkey.bank.example': [recordOf(key)],
    })
    const rspamd = await startRspamd(dns.address)
    t.teardown(() => rspamd.stop())
    const write = mailContent(smtpSender('Example Bank <no-reply@bank.example>'))
    const mail = write(otpMail(), '<id@bank.example>', new Date())
    const signed = await dkimSigner(key, 'bank.example')(mail)
    const changed = Buffer.from(signed.toString('latin1').replace(/--\r\n$/, '--\r\nA footer.\r\n'), 'latin1')
    const found = async (each: Buffer, arrival = ELSEWHERE) => {
      const { rules } = await rspamd.score(each, arrival)
      return rules
        .map((rule) => rule.split(' ')[0]!)
        .filter((name) => /^(?:R_DKIM|R_SPF|DMARC)_/.test(name))
        .sort()
    }

    t.deepEqual(await found(signed, ARRIVAL), ['DMARC_POLICY_ALLOW', 'R_DKIM_ALLOW', 'R_SPF_ALLOW'])
    t.deepEqual(await found(signed), ['DMARC_POLICY_ALLOW_WITH_FAILURES', 'R_DKIM_ALLOW', 'R_SPF_FAIL'])
    t.deepEqual(await found(mail), ['DMARC_POLICY_REJECT', 'R_SPF_FAIL'])
    t.deepEqual(await found(changed), ['DMARC_POLICY_REJECT', 'R_DKIM_REJECT', 'R_SPF_FAIL'])
  },
)
