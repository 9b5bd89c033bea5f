import test, { type ExecutionContext } from 'ava'
import { BounceDomainCheck } from '../../src/adapters/mail-authentication/bounce-domain-check.ts'
import { mailResolver } from '../../src/adapters/mail-authentication/mail-resolver.ts'
import { ReceivedMailCheck } from '../../src/adapters/mail-authentication/received-mail-check.ts'
import {
  SenderDomainCheck,
  type SenderDomains,
} from '../../src/adapters/mail-authentication/sender-domain-check.ts'
import { type DkimKey, dkimSigner } from '../../src/adapters/mail-smtp/dkim-signer.ts'
import { mailContent } from '../../src/adapters/mail-smtp/mail-content.ts'
import { smtpSender } from '../../src/adapters/mail-smtp/smtp-sender.ts'
import { otpMail } from '../contracts/mail-transport.contract.ts'
import { newDkimKey, recordOf } from '../doubles/dkim-key.ts'
import { dnsServer, type Zone } from '../doubles/dns-server.ts'
import { resultsOf } from '../support/check-results.ts'

const DOMAIN = 'bank.example'
/** The tests share two cores with others, so an answer from this very process may take long. */
const PATIENCE_IN_MS = 60_000
const KEY = newDkimKey('mail2026')
const OTHER = newDkimKey('mail2027')

const SPF = { [DOMAIN]: ['v=spf1 ip4:198.51.100.0/24 -all', 'another text'] }
const DMARC = { [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=reject'] }
const DKIM = { [`mail2026._domainkey.${DOMAIN}`]: [recordOf(KEY)] }

async function examined(
  t: ExecutionContext,
  zone: Zone,
  {
    keys = [KEY],
    patienceInMs = PATIENCE_IN_MS,
    ...domains
  }: Partial<SenderDomains> & { keys?: readonly DkimKey[]; patienceInMs?: number } = {},
) {
  const { address } = await dnsServer(t, zone)
  const signed = keys.map((key) => ({
    selector: key.id,
    signedSample: () => dkimSigner(key, DOMAIN)(Buffer.from(`From: a@${DOMAIN}\r\n\r\nA sample.\r\n`)),
  }))
  const check = new SenderDomainCheck(
    { from: DOMAIN, envelope: DOMAIN, ...domains },
    signed,
    mailResolver([address], patienceInMs),
  )
  const results = await resultsOf(check)
  return Object.fromEntries(
    results.map(({ name, level, found }) => [name.replace('mail-sender-', ''), `${level}: ${found}`]),
  )
}

test('a domain that publishes SPF, DKIM and a policy of DMARC is well', async (t) => {
  t.deepEqual(await examined(t, { ...SPF, ...DMARC, ...DKIM }), {
    spf: 'ok: bank.example says which servers may send its mail',
    dkim: 'ok: mail2026._domainkey.bank.example has the key that signs the mails',
    dmarc: 'ok: _dmarc.bank.example asks receivers to refuse mails that fail',
  })
})

test('a domain that publishes nothing is warned about, and a key that nobody can find fails', async (t) => {
  const { spf, dkim, dmarc } = await examined(t, {})

  t.is(spf, 'warning: bank.example publishes no SPF record')
  t.regex(dkim!, /^failed: receivers cannot verify the mails: .+ at mail2026\._domainkey\.bank\.example$/)
  t.is(dmarc, 'warning: neither bank.example nor a domain above it publishes a DMARC policy')
})

for (const [what, records, found] of [
  ['allows everybody', ['v=spf1 +all'], /^warning: the SPF record of bank\.example allows every server/],
  [
    'allows the whole of the Internet',
    ['v=spf1 ip4:0.0.0.0/0 -all'],
    /^warning: the SPF record of bank\.example allows every server/,
  ],
  ['is neutral', ['v=spf1 ?all'], /^warning: the SPF record of bank\.example says nothing of servers/],
  ['has no end', ['v=spf1 ip4:198.51.100.1'], /^warning: .* says nothing of servers/],
  ['is soft', ['v=spf1 ip4:198.51.100.1 ~all'], /^ok: /],
  ['is there twice', ['v=spf1 -all', 'v=spf1 ~all'], /^warning: .* is broken.*: multiple SPF records/],
  ['has an unknown word', ['v=spf1 ipv4:198.51.100.1 -all'], /^warning: .* is broken.*ipv4/],
  [
    'includes itself',
    ['v=spf1 include:bank.example -all'],
    /^warning: .* is broken.*: Too many DNS requests/,
  ],
  ['is another version', ['v=spf2.0/pra -all'], /^warning: bank\.example publishes no SPF record/],
] as const) {
  test(`an SPF record that ${what} is ${found.source.slice(1, 4) === 'ok:' ? 'well' : 'warned about'}`, async (t) => {
    const { spf } = await examined(t, { ...DMARC, ...DKIM, [DOMAIN]: records })
    t.regex(spf!, found)
  })
}

for (const [what, zone, domains, found] of [
  [
    'asks for nothing',
    { [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=none'] },
    {},
    /^warning: .*a forged mail .* arrives/,
  ],
  [
    'quarantines',
    { [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=quarantine'] },
    {},
    /^ok: .*treat mails that fail as suspicious/,
  ],
  [
    'is there twice',
    { [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] },
    {},
    /^warning: neither/,
  ],
  ['is of the domain above', { '_dmarc.example': ['v=DMARC1; p=reject'] }, {}, /^ok: _dmarc\.example asks/],
  ['covers an envelope below its domain', DMARC, { envelope: `bounces.${DOMAIN}` }, /^ok: /],
  [
    'is strict about an envelope below its domain',
    { [`_dmarc.${DOMAIN}`]: ['v=DMARC1; p=reject; aspf=s'] },
    { envelope: `bounces.${DOMAIN}` },
    /^warning: .*SPF does not count for it, because bounces\.bank\.example is not aligned with bank\.example/,
  ],
  ['has an envelope elsewhere', DMARC, { envelope: 'relay.test' }, /^warning: .*relay\.test is not aligned/],
  ['is about a provider that chooses the envelope', DMARC, { envelope: undefined }, /^ok: /],
] as const) {
  test(`a DMARC policy that ${what} is told as such`, async (t) => {
    const { dmarc } = await examined(t, { ...SPF, ...DKIM, ...zone }, domains)
    t.regex(dmarc!, found)
  })
}

test('nothing is said of the SPF of a domain that a mail provider chooses', async (t) => {
  t.is((await examined(t, { ...DMARC }, { envelope: undefined, keys: [] })).spf, undefined)
})

for (const [what, published, found] of [
  ['of another key', recordOf(OTHER), /^failed: receivers cannot verify the mails: bad signature/],
  ['of a key that was revoked', 'v=DKIM1; k=rsa; p=', /^failed: receivers cannot verify the mails: /],
  ['that is no key', 'v=DKIM1; k=rsa; p=AAAA', /^failed: receivers cannot verify the mails: /],
] as const) {
  test(`a record ${what} fails`, async (t) => {
    const { dkim } = await examined(t, { ...SPF, ...DMARC, [`mail2026._domainkey.${DOMAIN}`]: [published] })
    t.regex(dkim!, found)
  })
}

test('the record of a key that will sign, or did, is missed with a warning', async (t) => {
  const { dkim } = await examined(t, { ...SPF, ...DMARC, ...DKIM }, { keys: [KEY, OTHER] })
  t.regex(dkim!, /^warning: mail2027\._domainkey\.bank\.example does not have the key/)

  const both = { ...DKIM, [`mail2027._domainkey.${DOMAIN}`]: [recordOf(OTHER)] }
  t.regex((await examined(t, both, { keys: [KEY, OTHER] })).dkim!, /^ok: mail2027.* will sign mails, or did$/)
})

test('a name server that refuses, and one that is silent, are told apart from a domain without records', async (t) => {
  const refused = await examined(t, {
    [DOMAIN]: 'refused',
    [`_dmarc.${DOMAIN}`]: 'refused',
    [`mail2026._domainkey.${DOMAIN}`]: 'refused',
  })
  t.deepEqual(refused, {
    spf: 'warning: bank.example could not be looked up',
    dkim: 'warning: mail2026._domainkey.bank.example could not be looked up',
    dmarc: 'warning: _dmarc.bank.example could not be looked up',
  })

  const silent = await examined(t, { [DOMAIN]: 'silent', ...DKIM, ...DMARC }, { patienceInMs: 500, keys: [] })
  t.is(silent.spf, 'warning: bank.example could not be looked up')
})

const RECEIVED =
  'Received: from relay.bank.example (relay.bank.example [198.51.100.7])\r\n\tby mx.reader.example with ESMTP id 1; Sat, 28 Nov 2026 10:00:00 +0000\r\n'

/** The source of a mail as it lies in the reader's mailbox. */
async function arrived({
  key,
  from = DOMAIN,
  to = (mail: string) => mail,
}: {
  key?: DkimKey
  from?: string
  to?: (mail: string) => string
}) {
  const write = mailContent(smtpSender(`Example Bank <no-reply@${from}>`))
  const mail = write(otpMail(), '<id@bank.example>', new Date())
  const sent = key ? await dkimSigner(key, from)(mail) : mail
  return Buffer.from(`Return-Path: <no-reply@${from}>\r\n${RECEIVED}${to(sent.toString('latin1'))}`, 'latin1')
}

async function verified(t: ExecutionContext, mail: Buffer, zone: Zone) {
  const { address } = await dnsServer(t, zone)
  const results = await resultsOf(
    new ReceivedMailCheck(mail, [DOMAIN, 'b.example'], mailResolver([address], PATIENCE_IN_MS)),
  )
  return Object.fromEntries(
    results.map(({ name, level, found }) => [name.replace('received-mail-', ''), `${level}: ${found}`]),
  )
}

test('a mail that was signed and came from the right server is well', async (t) => {
  t.deepEqual(await verified(t, await arrived({ key: KEY }), { ...SPF, ...DMARC, ...DKIM }), {
    dkim: 'ok: signed for bank.example with the key mail2026',
    spf: 'ok: the server that delivered it may do so',
    dmarc: 'ok: DMARC passes',
  })
})

test('a mail that nobody signed, from a server that may not send it, fails DMARC', async (t) => {
  const zone = { ...DMARC, [DOMAIN]: ['v=spf1 ip4:203.0.113.1 -all'] }
  t.deepEqual(await verified(t, await arrived({}), zone), {
    dkim: 'warning: nobody signed it for bank.example',
    spf: 'warning: SPF says fail of the server that delivered it',
    dmarc: 'warning: DMARC says fail',
  })
})

test('a signature of another domain does not count', async (t) => {
  const write = mailContent(smtpSender(`Example Bank <no-reply@${DOMAIN}>`))
  const mail = write(otpMail(), '<id@bank.example>', new Date())
  const signed = await dkimSigner(KEY, 'relay.test')(mail)
  const zone = { ...DMARC, 'mail2026._domainkey.relay.test': [recordOf(KEY)] }

  const { dkim } = await verified(t, Buffer.concat([Buffer.from(RECEIVED), signed]), zone)
  t.is(dkim, 'warning: nobody signed it for bank.example')
})

for (const [what, change] of [
  ['the subject', (mail: string) => mail.replace(/^Subject: /m, 'Subject: [EXTERN] ')],
  ['the sender', (mail: string) => mail.replace('no-reply@bank', 'noreply@bank')],
  ['the body', (mail: string) => mail.replace(/--\r\n$/, '--\r\nA footer of a relay.\r\n')],
  ['how the body is read', (mail: string) => mail.replace('multipart/alternative', 'multipart/mixed')],
  ['that it is automatic', (mail: string) => mail.replace(/Auto-Submitted: [^\r]*/, 'Auto-Submitted: no')],
] as const) {
  test(`a server that changes ${what} breaks the signature`, async (t) => {
    const { dkim } = await verified(t, await arrived({ key: KEY, to: change }), { ...SPF, ...DMARC, ...DKIM })
    t.regex(dkim!, /^failed: its signature for bank\.example does not verify/)
  })
}

test('blanks that a server folds anew do not break the signature', async (t) => {
  const mail = await arrived({
    key: KEY,
    to: (text) => text.replace(/^Subject: /m, 'SUBJECT:\r\n  ').replace(/\r\n$/, '\r\n\r\n\r\n'),
  })
  t.regex((await verified(t, mail, { ...SPF, ...DMARC, ...DKIM })).dkim!, /^ok: /)
})

test('a file that is no mail of this service is told as such', async (t) => {
  for (const mail of [
    await arrived({ from: 'other.example' }),
    Buffer.from(''),
    Buffer.from('no mail at all'),
    Buffer.from(`From: a@${DOMAIN}, b@other.example\r\n\r\n`),
    Buffer.alloc(64, 0),
  ]) {
    t.deepEqual(await verified(t, mail, DMARC), {
      'received-mail': 'failed: the mail is not from bank.example or b.example',
    })
  }
})

test('a key that cannot sign is refused when it is given, and not repeated', (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('secret'), KEY.bytes.subarray(1)]) {
    const { message } = t.throws(() => dkimSigner({ id: 'x', bytes }, DOMAIN), { instanceOf: TypeError })!
    t.is(message, 'The key for DKIM must be a private key, as PKCS #8 in DER')
  }
})

// The domain that notices are sent to

const BOUNCES = 'bounces.bank.example'

for (const [what, zone, level, found] of [
  [
    'with mail servers',
    { [`MX ${BOUNCES}`]: ['mx2.bank.example', 'mx1.bank.example'] },
    'ok',
    /go to mx1\.bank\.example, mx2\.bank\.example$/,
  ],
  ['that does not exist', {}, 'warning', /publishes no mail server/],
  ['without a mail server', { [BOUNCES]: ['v=spf1 -all'] }, 'warning', /publishes no mail server/],
  ['that takes no mail', { [`MX ${BOUNCES}`]: ['.'] }, 'warning', /publishes no mail server/],
  [
    'that a name server does not look up',
    { [`MX ${BOUNCES}`]: 'refused' },
    'warning',
    /could not be looked up/,
  ],
] as const) {
  test(`a bounce domain ${what} is reported with ${level}`, async (t) => {
    const { address } = await dnsServer(t, zone)

    const [result, ...others] = await resultsOf(
      new BounceDomainCheck(BOUNCES, mailResolver([address], PATIENCE_IN_MS)),
    )

    t.deepEqual(others, [])
    t.like(result, { name: 'mail-bounces', level })
    t.regex(result!.found, found)
    t.is(result!.remedy === undefined, level === 'ok')
  })
}

test('an envelope domain of its own is examined for SPF and its alignment with the sender', async (t) => {
  const zone = { ...SPF, ...DMARC, ...DKIM, [BOUNCES]: ['v=spf1 ip4:198.51.100.1 -all'] }

  const { spf, dmarc } = await examined(t, zone, { envelope: BOUNCES })
  t.is(spf, `ok: ${BOUNCES} says which servers may send its mail`)
  t.regex(dmarc!, /^ok/)
  const elsewhere = await examined(t, zone, { envelope: 'bounces.elsewhere.example' })
  t.regex(elsewhere.dmarc!, /not aligned/)
})
