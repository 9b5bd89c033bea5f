import { randomBytes } from 'node:crypto'
import { type Output, print } from './terminal.ts'

const VARIABLES = { otp: 'OTP_KEYS', signing: 'SIGNING_KEYS' } as const
type Purpose = keyof typeof VARIABLES

const ROTATION = `
To start with, put them into the configuration as they are. To rotate, in three steps, each on every instance before the next:
  1. behind the old one, OTP_KEYS=old,new: every instance knows the new key, none uses it yet
  2. in front of it, OTP_KEYS=new,old: the new key is active, the old one still verifies
  3. alone, OTP_KEYS=new: for OTP_KEYS once the codes of the old key are over (OTP_LIFETIME_SECONDS), for SIGNING_KEYS once its
     challenges are over (a day at most) and nobody has to check its authorisations with /.well-known/jwks.json any more
Between 1 and 2 of SIGNING_KEYS wait for as long as others keep /.well-known/jwks.json. "countersign doctor" tells the age of keys.
`

/** Prints a key for each purpose, or for one alone, fit for a file that `<NAME>_FILE` names. Explains itself on stderr only. */
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

/** 32 bytes serve both: a secret to derive from, and the seed of an Ed25519 key (RFC 8032 §5.1.5). */
function newKey(purpose: Purpose, day: string) {
  // The random part tells two keys of one day apart.
  const kid = `${purpose}-${day}-${randomBytes(2).toString('hex')}`
  return { kid, base64: randomBytes(32).toString('base64') }
}
