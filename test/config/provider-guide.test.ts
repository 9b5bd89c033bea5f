import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import test from 'ava'
import { type JWTPayload, SignJWT } from 'jose'
import { keysOf } from '../../src/adapters/identity-jose/issuer-keys.ts'
import { ALGORITHMS, JoseAccessTokens } from '../../src/adapters/identity-jose/jose-access-tokens.ts'
import { tokenProfile } from '../../src/adapters/identity-jose/token-profiles.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { NOON } from '../domain/examples.ts'
import { SettableClock } from '../doubles/settable-clock.ts'
import { production } from '../journeys/command.ts'
import { PROVIDERS } from '../support/provider-tokens.ts'

/*
 * docs/integration.md shows the variables and a token for each provider. The service that is configured like this takes
 * that token for a service's.
 */

const guide = readFileSync(new URL('../../docs/integration.md', import.meta.url), 'utf8')
const section = guide.slice(
  guide.indexOf('## Your identity provider'),
  guide.indexOf('## Checked by the compiler'),
)
const examples = [
  ...section.matchAll(
    /^### ([^\n]+)$(?:(?!^###).)*?^```ini\n(.*?)^```$(?:(?!^###).)*?^```json\n(.*?)^```$/gms,
  ),
].map(([, title, variables, token]) => ({
  title: title!,
  variables: parseEnv(variables!) as Record<string, string>,
  token: JSON.parse(token!) as JWTPayload,
}))

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keys = keysOf({ keys: [publicKey.export({ format: 'jwk' }) as never] })

test('the guide has a section for each provider', (t) => {
  const shown = examples.map(({ variables }) => variables.AUTH_PROVIDER)

  t.deepEqual([...shown, 'generic'].toSorted(), PROVIDERS.toSorted())
})

for (const { title, variables, token } of examples) {
  test(`the token in the section about ${title} is a service's for the variables in it`, async (t) => {
    const auth = readConfig({ ...production('postgresql://127.0.0.1/countersign'), ...variables }).auth!
    const profile = tokenProfile(auth.provider, auth.claims, auth.audience)
    const now = NOON.getTime() / 1000
    const signed = await new SignJWT({ ...token, iat: now, exp: now + 300 })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(privateKey)

    const caller = await new JoseAccessTokens(
      keys,
      { ...auth, profile },
      new SettableClock(NOON),
    ).authenticate(signed)

    t.is(caller.kind, 'client')
    t.true(caller.kind === 'client' && caller.scopes.has('mfa:challenges:create'))
    t.true(caller.kind === 'client' && caller.scopes.has('mfa:challenges:consume'))
  })
}

test('the guide lists every algorithm that is accepted, and says no to others', (t) => {
  const rows = [...section.matchAll(/^\| (`.*?) \| (yes|no)\b/gm)]
  const accepted = rows
    .filter(([, , answer]) => answer === 'yes')
    .flatMap(([, names]) => names!.match(/(?<=`)[A-Z][A-Za-z0-9]+(?=`)/g)!)

  t.deepEqual(accepted.toSorted(), [...ALGORITHMS].toSorted())
  t.is(rows.length, 5)
})

test('every reason that the guide explains is one that the service gives', (t) => {
  const source = ['jose-access-tokens', 'token-profiles']
    .map((name) =>
      readFileSync(new URL(`../../src/adapters/identity-jose/${name}.ts`, import.meta.url), 'utf8'),
    )
    .join()
  const reasons = [...section.matchAll(/`refusal` ((?:`[^`]+`(?: or )?)+)/g)]
    .flatMap(([, names]) => names!.match(/(?<=`)[\w-]+(?=`)/g)!)
    .filter((name) => !['ERR_JWKS_NO_MATCHING_KEY'].includes(name))

  t.true(reasons.length >= 5)
  for (const reason of reasons) t.true(source.includes(`'${reason}'`), reason)
})
