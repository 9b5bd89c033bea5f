import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { exportJWK, generateKeyPair } from 'jose'
import { SMTPServer } from 'smtp-server'
import { dkimSigner } from '../../src/adapters/mail-smtp/dkim-signer.ts'
import { newDkimKey, recordOf, textOf } from '../doubles/dkim-key.ts'
import { dnsServer } from '../doubles/dns-server.ts'
import { createTestDatabase } from '../support/database.ts'
import { countersign, key, NOWHERE, production } from './command.ts'
import { createDataDir } from './service-process.ts'

test.serial('doctor finds a set-up well that is, and reveals no secret of it', async (t) => {
  const { url } = await createTestDatabase()
  const publicKey = await exportJWK((await generateKeyPair('EdDSA')).publicKey)
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    allowInsecureAuth: true,
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
  })
  smtp.on('error', () => {})
  const listening = smtp.listen(0, '127.0.0.1')
  const issuer = createServer((_, response) =>
    response.end(JSON.stringify({ keys: [{ ...publicKey, kid: 'a' }] })),
  ).listen(0, '127.0.0.1')
  await Promise.all([once(listening, 'listening'), once(issuer, 'listening')])
  t.teardown(() => {
    smtp.close()
    issuer.close()
  })
  const portOf = (address: AddressInfo | string | null) => (address as AddressInfo).port
  const home = await createDataDir()
  t.teardown(home.remove)
  const dkimKey = newDkimKey('mail2026')
  await writeFile(join(home.path, 'dkim'), `${textOf(dkimKey)}\n`)
  const { address } = await dnsServer(t, {
    'bank.example': ['v=spf1 ip4:198.51.100.1 -all'],
    '_dmarc.bank.example': ['v=DMARC1; p=reject'],
    'mail2026._domainkey.bank.example': [recordOf(dkimKey)],
  })
  const env = {
    ...production(url),
    DNS_SERVERS: address,
    DKIM_KEYS_FILE: join(home.path, 'dkim'),
    AUTH_JWKS_URL: `http://127.0.0.1:${portOf(issuer.address())}/jwks.json`,
    SMTP_URL: `smtp://relay:pass-of-the-relay@127.0.0.1:${portOf(listening.address())}`,
  }

  const signed = await dkimSigner(
    dkimKey,
    'bank.example',
  )(Buffer.from('From: a@bank.example\r\n\r\nHello\r\n'))
  const received = join(home.path, 'received.eml')
  await writeFile(received, signed)

  const { status, stdout } = await countersign(env, 'doctor', '--received-mail', received)

  t.is(status, 0, stdout)
  t.regex(stdout, /^ok +mail-sender-spf /m)
  t.regex(stdout, /^ok +mail-sender-dkim +mail2026\._domainkey\.bank\.example has the key that signs/m)
  t.regex(stdout, /^ok +mail-sender-dmarc /m)
  t.regex(stdout, /^ok +received-mail-dkim +signed for bank\.example with the key mail2026$/m)
  t.regex(stdout, /^warning +received-mail-spf /m)
  t.regex(stdout, /^warning +otp-keys +otp-2020-01-01 is active, \d+ days old$/m)
  t.regex(stdout, /^ok +mail-smtp +127\.0\.0\.1 answers/m)
  t.regex(stdout, /^ok +migrations +all are applied$/m)
  t.regex(stdout, /^0 failed, 4 with a warning\.$/m)
  t.false(stdout.includes('pass-of'))
  for (const secret of [new URL(url).password, key(1), key(2), textOf(dkimKey).slice(9, 80)]) {
    t.false(stdout.includes(secret))
  }
})

test.serial(
  'doctor checks the sender of each brand, with its own keys and the domain of its notices',
  async (t) => {
    const { url } = await createTestDatabase()
    const [keyA, keyB] = [newDkimKey('mail2026'), newDkimKey('codes')]
    const { address } = await dnsServer(t, {
      'bank.example': ['v=spf1 ip4:198.51.100.1 -all'],
      'bounces.bank.example': ['v=spf1 ip4:198.51.100.1 -all'],
      '_dmarc.bank.example': ['v=DMARC1; p=reject'],
      'mail2026._domainkey.bank.example': [recordOf(keyA)],
      '_dmarc.b.example': ['v=DMARC1; p=reject'],
      '_dmarc.c.example': ['v=DMARC1; p=reject'],
      'codes._domainkey.c.example': [recordOf(keyA)],
    })
    const env = {
      ...production(url),
      DNS_SERVERS: address,
      BOUNCE_DOMAIN: 'bounces.bank.example',
      BRANDS: JSON.stringify({
        b: { name: 'B', from: 'B <no-reply@b.example>', bounceDomain: 'bounces.b.example' },
        c: { name: 'C', from: 'C <no-reply@c.example>' },
        d: { name: 'D' },
      }),
      DKIM_KEYS: `${textOf(keyA)},${textOf(keyB).replace(':', '@c.example:')}`,
    }

    const { stdout, status } = await countersign(env, 'doctor')

    t.is(status, 1)
    t.regex(stdout, /^warning +configuration +DKIM_KEYS has no key for b\.example/m)
    t.regex(stdout, /^ok +mail-sender-spf +bounces\.bank\.example says which servers/m)
    t.regex(stdout, /^warning +mail-sender-spf +bounces\.b\.example publishes no SPF record/m)
    t.regex(stdout, /^ok +mail-sender-dkim +mail2026\._domainkey\.bank\.example has the key that signs/m)
    t.regex(
      stdout,
      /^failed +mail-sender-dkim +receivers cannot verify the mails: .*codes\._domainkey\.c\.example/m,
    )
    t.regex(stdout, /^ok +mail-sender-dmarc +_dmarc\.bank\.example asks/m)
    t.regex(stdout, /^ok +mail-sender-dmarc +_dmarc\.b\.example asks/m)
    t.regex(
      stdout,
      /^warning +mail-sender-dmarc +_dmarc\.c\.example .*bounces\.bank\.example is not aligned with c\.example/m,
    )
    t.is(stdout.match(/^\w+ +mail-sender-dmarc /gm)?.length, 3)
    t.is(stdout.match(/^\w+ +mail-bounces /gm)?.length, 2)
  },
)

test.serial('doctor logs in with a token whose secret is in a file, and reveals neither', async (t) => {
  const { url } = await createTestDatabase()
  const home = await createDataDir()
  t.teardown(home.remove)
  const logins: string[] = []
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    allowInsecureAuth: true,
    authMethods: ['XOAUTH2'],
    onAuth: ({ username, accessToken }, _session, done) => {
      logins.push(`${username} ${accessToken}`)
      done(null, { user: username })
    },
  })
  smtp.on('error', () => {})
  const listening = smtp.listen(0, '127.0.0.1')
  const tokens = createServer((request, response) => {
    let form = ''
    request.on('data', (chunk) => {
      form += chunk
    })
    request.on('end', () => {
      const isRight = new URLSearchParams(form).get('client_secret') === 'secret-of-the-file'
      response.statusCode = isRight ? 200 : 401
      response.end(JSON.stringify({ access_token: 'issued-token', token_type: 'Bearer', expires_in: 3600 }))
    })
  }).listen(0, '127.0.0.1')
  await Promise.all([once(listening, 'listening'), once(tokens, 'listening')])
  t.teardown(() => {
    smtp.close()
    tokens.close()
  })
  const portOf = (address: AddressInfo | string | null) => (address as AddressInfo).port
  await writeFile(join(home.path, 'secret'), 'secret-of-the-file\n')
  const env = {
    ...production(url),
    SMTP_URL: `smtp://no-reply%40bank.example@127.0.0.1:${portOf(listening.address())}`,
    SMTP_EHLO_NAME: 'countersign.bücher.example',
    SMTP_OAUTH_TOKEN_URL: `http://127.0.0.1:${portOf(tokens.address())}/token`,
    SMTP_OAUTH_CLIENT_ID: 'mailer',
    SMTP_OAUTH_CLIENT_SECRET_FILE: join(home.path, 'secret'),
  }

  const { stdout } = await countersign(env, 'doctor')

  t.regex(stdout, /^ok +mail-smtp .*EHLO names countersign\.xn--bcher-kva\.example/m)
  t.deepEqual(logins, ['no-reply@bank.example issued-token'])
  t.notRegex(stdout, /secret-of|issued-token/)
})

test.serial(
  'doctor says of all that is broken at once what to do, in both forms, and ends with 1',
  async (t) => {
    const env = {
      ...production(`postgresql://u:secret@${NOWHERE}/none`),
      SUPPORT_ORIGIN: 'https://support.bank.example',
      SUPPORT_CLIENT_ID: 'support-desk',
      SUPPORT_CLIENT_SECRET: 'secret',
      SUPPORT_ISSUER: `https://${NOWHERE}/agents`,
    }

    const document = await countersign(env, 'doctor', '--json')
    t.is(document.status, 1)
    const { status, checks } = JSON.parse(document.stdout)
    t.is(status, 'failed')
    const failed = checks.filter(({ level }: { level: string }) => level === 'failed')
    t.deepEqual(
      failed.map(({ name }: { name: string }) => name),
      ['database', 'issuer', 'support-sign-in', 'mail-smtp'],
    )
    for (const { remedy } of failed) t.truthy(remedy)

    const { stdout } = await countersign({ NODE_ENV: 'production' }, 'doctor')
    t.is(stdout.match(/^failed +configuration +\w+ is not set/gm)?.length, 11)
  },
)

test.serial('colours are for terminals, and for whoever asks for them', async (t) => {
  const env = { NODE_ENV: 'production' }

  t.false((await countersign(env, 'doctor')).stdout.includes('\x1b'))
  t.true((await countersign({ ...env, FORCE_COLOR: '1' }, 'doctor')).stdout.includes('\x1b[31mfailed'))
  t.false((await countersign({ ...env, NO_COLOR: '1' }, 'doctor')).stdout.includes('\x1b'))
})

test.serial('doctor says of a received mail that it cannot read what to do, and ends with 1', async (t) => {
  const env = production(`postgresql://u:secret@${NOWHERE}/none`)

  const missing = await countersign(env, 'doctor', '--received-mail', '/nowhere.eml')
  t.is(missing.status, 1)
  t.regex(missing.stdout, /^failed +received-mail +the file cannot be read$/m)
  t.regex(missing.stdout, /^warning +mail-sender-spf +bank\.example could not be looked up$/m)

  const localhost = { ...env, MAIL_FROM: 'Bank <no-reply@localhost>' }
  const { stdout } = await countersign(localhost, 'doctor', '--received-mail', '/nowhere.eml')
  t.regex(stdout, /^failed +received-mail +no mail leaves for a domain of its own$/m)
  t.notRegex(stdout, /mail-sender/)
})

test.serial(
  'a new key for DKIM is one that the configuration takes, with the record that doctor looks for',
  async (t) => {
    const { status, stdout, stderr } = await countersign({}, 'keys', 'generate-dkim', 'mail2026')
    t.is(status, 0, stderr)
    const [, text] = /^mail2026\._domainkey TXT "(v=DKIM1; k=rsa; p=\S+)"$/m.exec(stderr)!
    const { address } = await dnsServer(t, { 'mail2026._domainkey.bank.example': [text!] })

    const env = { ...production(`postgresql://u:secret@${NOWHERE}/none`), DNS_SERVERS: address }
    const doctor = await countersign({ ...env, DKIM_KEYS: stdout.trim() }, 'doctor')
    t.regex(doctor.stdout, /^ok +mail-sender-dkim /m)

    const document = JSON.parse((await countersign({}, 'keys', 'generate-dkim', 'a.b', '--json')).stdout)
    t.regex(document.key, /^a\.b:/)
    t.is(document.record.name, 'a.b._domainkey')
    for (const selector of ['a b', '', 'a_b', '-a', 'x'.repeat(64)]) {
      const refused = await countersign({}, 'keys', 'generate-dkim', '--', selector)
      t.is(refused.status, 2, selector)
      t.is(refused.stdout, '')
    }
  },
)
