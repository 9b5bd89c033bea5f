import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import test from 'ava'
import { dkimVerify } from 'mailauth'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { newDkimKey, recordOf, textOf } from '../doubles/dkim-key.ts'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { openChallenge, randomDigest, registerUser, tokenOf, until } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const BANK_B = {
  name: 'Bank B',
  color: '#7a1f2b',
  from: 'Bank B <no-reply@b.example>',
  replyTo: 'help@b.example',
  languages: ['fr'],
  appOrigin: 'https://app.b.example',
}
const [KEY_A, KEY_B] = [newDkimKey('a2026'), newDkimKey('b2026')]
const RECORDS: Readonly<Record<string, string>> = {
  'a2026._domainkey.bank.example': recordOf(KEY_A),
  'b2026._domainkey.b.example': recordOf(KEY_B),
}

interface Arrival {
  readonly mail: ParsedMail
  readonly bytes: Buffer
  readonly envelopeFrom: string
}

const scopes = 'mfa:challenges:create mfa:challenges:consume mfa:users:write'
const WRONG = { totp: 'wrong' }

test('one service mails for two banks: each code, lock, cancelled operation and changed address comes from the bank that it is about', async (t) => {
  const { url: databaseUrl } = await createTestDatabase()
  const home = await createDataDir()
  const arrivals: Arrival[] = []
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, { envelope }, done) => {
      buffer(stream).then(async (bytes) => {
        const envelopeFrom = envelope.mailFrom ? envelope.mailFrom.address : ''
        arrivals.push({ mail: await simpleParser(bytes), bytes, envelopeFrom })
        done(null, 'queued')
      }, done)
    },
  })
  const listening = smtp.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  await writeFile(join(home.path, 'brands.json'), JSON.stringify({ 'payments-b': BANK_B }))
  const service = await startProcess({
    DATABASE_URL: databaseUrl,
    DATA_DIR: home.path,
    MAIL_TRANSPORT: 'smtp',
    MAIL_FROM: 'Bank A <no-reply@bank.example>',
    SMTP_URL: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    BRAND_NAME: 'Bank A',
    BRANDS_FILE: join(home.path, 'brands.json'),
    DKIM_KEYS: `${textOf(KEY_A)},${textOf(KEY_B).replace(':', '@b.example:')}`,
  })
  t.teardown(async () => {
    await service.end()
    smtp.close()
    await home.remove()
  })
  const { url } = service
  const ofBankB = await tokenOf(url, { client_id: 'payments-b', scope: scopes })
  const challengeOfBankB = async (subjectUserId: string) => {
    const digest = randomDigest()
    const { body } = await call(url, 'POST', '/internal/v1/mfa/challenges', {
      token: ofBankB,
      headers: { 'plmr-idempotency-key': digest },
      json: {
        subjectUserId,
        operation: { type: 'payments.initiate', digest, summary: [{ label: 'Montant', value: '12 EUR' }] },
      },
    })
    return { id: body.challengeId as string, signature: body.signature as string, ...body.methods[0] }
  }
  const mailTo = async (email: string, count = 1) =>
    (
      await until(
        async () => arrivals.filter(({ mail }) => [mail.to].flat()[0]?.text === email),
        (all) => all.length >= count,
      )
    ).at(-1)!
  const signersOf = async ({ bytes }: Arrival) => {
    const { results } = await dkimVerify(bytes, {
      resolver: async (name) => (RECORDS[name] ? [[RECORDS[name]]] : []),
    })
    return results.map(({ status, signingDomain }) => `${signingDomain} ${status.result}`)
  }
  const isOfBankB = async (arrival: Arrival, said: RegExp) => {
    const { mail, envelopeFrom } = arrival
    t.is(mail.from?.text, '"Bank B" <no-reply@b.example>')
    t.is(mail.replyTo?.text, 'help@b.example')
    t.is(envelopeFrom, 'no-reply@b.example')
    t.true(mail.text?.startsWith('Bank B\n\n'))
    t.regex(mail.text ?? '', said)
    t.true((mail.html || '').includes('background-color:#7a1f2b'))
    t.notRegex(`${mail.text} ${mail.html}`, /Bank A|bank\.example/)
    t.deepEqual(await signersOf(arrival), ['b.example pass'])
  }

  // A code of each bank for one user.
  const alice = await registerUser(url)
  const a = await openChallenge(url, alice.userId)
  await call(url, 'POST', a.initiate, { token: alice.token })
  const codeOfA = await mailTo(alice.email)
  t.is(codeOfA.mail.from?.text, '"Bank A" <no-reply@bank.example>')
  t.true(codeOfA.mail.text?.startsWith('Bank A\n\n'))
  t.deepEqual(await signersOf(codeOfA), ['bank.example pass'])

  const b = await challengeOfBankB(alice.userId)
  await call(url, 'POST', b.initiate, { token: alice.token })
  const codeOfB = await mailTo(alice.email, 2)
  await isOfBankB(codeOfB, /Montant[\s\S]*12 EUR[\s\S]*@app\.b\.example #\d{6}/)

  // What the app of the user sees.
  const seen = await call(url, 'GET', `/internal/v1/mfa/challenges/${b.id}`, { token: alice.token })
  t.deepEqual(seen.body.brand, { name: 'Bank B', color: '#7a1f2b', textColor: '#ffffff', logoUrl: null })
  const other = await call(url, 'GET', `/internal/v1/mfa/challenges/${a.id}`, { token: alice.token })
  t.false('brand' in other.body)

  // The third call for another operation.
  const code = /#(\d{6})/.exec(codeOfB.mail.text!)![1]!
  await call(url, 'POST', b.verify, { token: alice.token, json: { totp: code } })
  for (let n = 0; n < 3; n++) {
    await call(url, 'POST', `/internal/v1/mfa/challenges/${b.id}:consume`, {
      token: ofBankB,
      headers: { 'plmr-idempotency-key': `mismatch-${n}` },
      json: { signature: b.signature, digest: randomDigest() },
    })
  }
  await isOfBankB(await mailTo(alice.email, 3), /\n/)

  // A lock, by wrong codes for a challenge of bank B.
  const bob = await registerUser(url)
  const locked = await challengeOfBankB(bob.userId)
  for (let n = 0; n < 5; n++) await call(url, 'POST', locked.verify, { token: bob.token, json: WRONG })
  await isOfBankB(await mailTo(bob.email), /\n/)

  // An address that bank B changes, and one that somebody without a brand changes.
  const carol = await registerUser(url)
  const put = (token: string, email: string) =>
    call(url, 'PUT', `/internal/v1/mfa/users/${carol.userId}`, { token, json: { email } })
  await put(ofBankB, `new-${carol.email}`)
  await isOfBankB(await mailTo(carol.email), /\n/)
  await put(await tokenOf(url, { client_id: 'crm', scope: scopes }), carol.email)
  t.is((await mailTo(`new-${carol.email}`)).mail.from?.text, '"Bank A" <no-reply@bank.example>')
})
