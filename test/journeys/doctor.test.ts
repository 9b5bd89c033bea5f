import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { exportJWK, generateKeyPair } from 'jose'
import { SMTPServer } from 'smtp-server'
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
  const env = {
    ...production(url),
    AUTH_JWKS_URL: `http://127.0.0.1:${portOf(issuer.address())}/jwks.json`,
    SMTP_URL: `smtp://relay:pass-of-the-relay@127.0.0.1:${portOf(listening.address())}`,
  }

  const { status, stdout } = await countersign(env, 'doctor')

  t.is(status, 0, stdout)
  t.regex(stdout, /^warning +otp-keys +otp-2020-01-01 is active, \d+ days old$/m)
  t.regex(stdout, /^ok +mail-smtp +127\.0\.0\.1 answers/m)
  t.regex(stdout, /^ok +migrations +all are applied$/m)
  t.regex(stdout, /^0 failed, 3 with a warning\.$/m)
  t.false(stdout.includes('pass-of'))
  for (const secret of [new URL(url).password, key(1), key(2)]) t.false(stdout.includes(secret))
})

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
    const env = production(`postgresql://u:secret@${NOWHERE}/none`)

    const document = await countersign(env, 'doctor', '--json')
    t.is(document.status, 1)
    const { status, checks } = JSON.parse(document.stdout)
    t.is(status, 'failed')
    const failed = checks.filter(({ level }: { level: string }) => level === 'failed')
    t.deepEqual(
      failed.map(({ name }: { name: string }) => name),
      ['database', 'issuer', 'mail-smtp'],
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
