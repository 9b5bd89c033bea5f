import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { isSelector } from '../config/formats.ts'
import { type Output, print } from './terminal.ts'

const VARIABLES = { otp: 'OTP_KEYS', signing: 'SIGNING_KEYS' } as const
type Purpose = keyof typeof VARIABLES

const ROTATION = `
For a first start, put the keys into the configuration as they are. To rotate a key, take three steps. Finish each step on
every instance before the next one:
  1. OTP_KEYS=old,new: every instance knows the new key, and none uses it yet
  2. OTP_KEYS=new,old: the new key is active, and the old key still verifies
  3. OTP_KEYS=new: the old key is gone
Between steps 1 and 2 of SIGNING_KEYS, wait until no cache holds an older /.well-known/jwks.json.
Before step 3 of OTP_KEYS, wait until the challenges of the old key have ended (a day at most): their codes and seals need it.
With BOUNCE_DOMAIN, wait 14 days: reports about mails that came back need it, too.
Before step 3 of SIGNING_KEYS, wait until its challenges have ended (a day at most), and save /.well-known/jwks.json: stored
authorisations and the anchors of the audit trail need the public key for as long as somebody checks them.
"countersign doctor" shows the age of the keys.
`

/**
 * Prints a key for each purpose. For a single purpose, stdout is fit for a file that `<NAME>_FILE` names. The explanation goes to
 * stderr.
 */
export function generateKeys({ for: only, ...output }: Output & { readonly for?: Purpose }): number {
  const purposes = only ? [only] : (Object.keys(VARIABLES) as Purpose[])
  const today = new Date().toISOString().slice(0, 10)
  const keys = purposes.map((purpose) => ({
    purpose,
    variable: VARIABLES[purpose],
    ...newKey(purpose, today),
  }))

  const lines = keys.map(({ variable, kid, base64 }) =>
    only ? `${kid}:${base64}` : `${variable}=${kid}:${base64}`,
  )
  print(
    { keys: keys.map(({ base64, ...key }) => ({ ...key, key: `${key.kid}:${base64}` })) },
    lines.join('\n'),
    output,
  )
  if (!output.json) process.stderr.write(ROTATION)
  return 0
}

/** Both purposes need 32 bytes: a secret to derive codes from, and the seed of an Ed25519 key (RFC 8032 §5.1.5). */
function newKey(purpose: Purpose, day: string) {
  // Two keys of one day differ in the random part.
  const kid = `${purpose}-${day}-${randomBytes(2).toString('hex')}`
  return { kid, base64: randomBytes(32).toString('base64') }
}

const PUBLICATION = `
Publish the record at the domain of MAIL_FROM. A first key: put it into DKIM_KEYS, and run "countersign doctor" before a restart.
A further key: add it second in DKIM_KEYS, and wait until "countersign doctor" finds the record. Then put it first.
Keep the record of an old key for a week after the last mail that it signed: mails wait for receivers that are down.
`

/** RFC 8301 §3.2: receivers verify keys of up to 4,096 bits. A record of 2,048 bits also fits into one answer of DNS over UDP. */
const RSA_BITS = 2048

/** Prints a key for DKIM, fit for a file that `DKIM_KEYS_FILE` names, and on stderr the record that its domain has to publish. */
export function generateDkimKey({ selector, ...output }: Output & { readonly selector: string }): number {
  if (!isSelector(selector)) {
    process.stderr.write('A selector is a label of a domain name, as in mail2026\n')
    return 2
  }
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: RSA_BITS,
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  const key = `${selector}:${privateKey.toString('base64')}`
  const record = { name: `${selector}._domainkey`, text: `v=DKIM1; k=rsa; p=${publicKey.toString('base64')}` }
  print({ key, record }, key, output)
  if (!output.json) process.stderr.write(`\n${record.name} TXT "${record.text}"\n${PUBLICATION}`)
  return 0
}
