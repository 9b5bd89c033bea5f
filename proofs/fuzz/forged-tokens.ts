import { createHmac, generateKeyPairSync } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import type { DevelopmentKeys } from '../../src/development/development-keys.ts'

/** What is wrong with a token, and the value of `Authorization`. */
export type ForgedToken = readonly [wrong: string, authorization: string]

const RIGHT_CLAIMS = {
  ...{ iss: 'countersign-development', aud: 'countersign', sub: 'payments', client_id: 'payments' },
  ...{ scope: 'mfa:challenges:create mfa:challenges:consume mfa:users:read mfa:users:write' },
}
const RIGHT_HEADER = { alg: 'EdDSA', kid: 'development', typ: 'at+jwt' }

/** Tokens that open nothing: some are forged, some come from the issuer but serve another purpose, and some are no tokens. */
export async function forgeTokens({
  issuerKey,
}: Pick<DevelopmentKeys, 'issuerKey'>): Promise<readonly ForgedToken[]> {
  const now = Math.floor(Date.now() / 1000)
  const right = { ...RIGHT_CLAIMS, iat: now, exp: now + 3600 }
  const ours = await importJWK(issuerKey, 'EdDSA')
  const stranger = generateKeyPairSync('ed25519').privateKey
  const sign = (claims: object, header: object = {}, key: Parameters<SignJWT['sign']>[0] = ours) =>
    new SignJWT(claims as Record<string, unknown>)
      .setProtectedHeader({ ...RIGHT_HEADER, ...header })
      .sign(key)
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(right).filter(([name]) => !names.includes(name)))

  const good = await sign(right)
  const [head, payload, signature] = good.split('.') as [string, string, string]
  const withHead = (header: object) => `${part(header)}.${payload}.${signature}`
  const { d: _, ...publicKey } = issuerKey
  const symmetric = `${part({ alg: 'HS256', kid: 'development', typ: 'at+jwt' })}.${payload}`
  const hmac = createHmac('sha256', Buffer.from(publicKey.x, 'base64url'))
    .update(symmetric)
    .digest('base64url')

  const signed: readonly (readonly [string, object, object?])[] = [
    ...[{ aud: 'another' }, { aud: ['another'] }, { aud: '' }, { aud: 7 }].map((c) => of('aud', right, c)),
    ...[{ iss: 'another' }, { iss: '' }, { iss: ['countersign-development', 'x'] }].map((c) =>
      of('iss', right, c),
    ),
    ...[{ exp: now - 60 }, { exp: 0 }, { exp: -1 }, { exp: now + 1e9 }, { exp: 1e300 }].map((c) =>
      of('exp', right, c),
    ),
    ...[{ exp: `${now + 60}` }, { exp: null }, { exp: {} }].map((c) => of('exp', right, c)),
    ...[{ nbf: now + 3600 }, { nbf: 'x' }].map((c) => of('nbf', right, c)),
    ...[{ iat: now + 3600 }, { iat: 'x' }].map((c) => of('iat', right, c)),
    ...[{ sub: 7 }, { sub: '' }, { sub: {} }, { sub: null }, { sub: [] }].map((c) => of('sub', right, c)),
    ...[{ sub: 'a\0b' }, { sub: ' a' }, { sub: 'ä' }, { sub: 'a'.repeat(256) }].map((c) =>
      of('sub', right, c),
    ),
    ...[{ client_id: 7 }, { client_id: '' }, { client_id: { a: 1 } }].map((c) => of('client_id', right, c)),
    ...[{ typ: 'id+jwt' }, { typ: 'logout+jwt' }, { typ: '' }, { typ: 'x'.repeat(500) }].map(
      (header) => ['typ', right, header] as const,
    ),
    ['kid', right, { kid: 'another' }],
    ['kid', right, { kid: "' OR 1=1 --" }],
    ['crit', right, { crit: ['exp'] }],
    ['no exp', without('exp')],
    ['no sub', without('sub')],
    ['no aud', without('aud')],
    ['no iss', without('iss')],
    ['nothing in it', {}],
  ]
  const bearers = await Promise.all(
    signed.map(
      async ([wrong, claims, header]) => [wrong, await sign(claims, header).catch(() => 'a.b.c')] as const,
    ),
  )
  const tokens: readonly (readonly [string, string])[] = [
    ...bearers,
    ["another's key", await sign(right, {}, stranger)],
    ["another's key in the header", await sign(right, { jwk: publicJwk(stranger) }, stranger)],
    ["another's keys by URL", await sign(right, { jku: 'http://127.0.0.1:1/keys' }, stranger)],
    ['alg none', `${part({ alg: 'none', typ: 'at+jwt' })}.${payload}.`],
    ['alg None', `${part({ alg: 'None', typ: 'at+jwt' })}.${payload}.`],
    ['alg none, and the signature', withHead({ alg: 'none' })],
    ['the public key as a secret', `${symmetric}.${hmac}`],
    ['another alg', withHead({ ...RIGHT_HEADER, alg: 'ES256' })],
    ['alg of another type', withHead({ ...RIGHT_HEADER, alg: ['EdDSA'] })],
    ['unencoded payload', withHead({ ...RIGHT_HEADER, b64: false, crit: ['b64'] })],
    ['a header that is no object', `${part([])}.${payload}.${signature}`],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`],
    ['a payload that is no JSON', `${head}.${Buffer.from('{').toString('base64url')}.${signature}`],
    ['a payload that was changed', `${head}.${part({ ...right, sub: 'crm' })}.${signature}`],
    ['a signature that was changed', `${head}.${payload}.${'A'.repeat(86)}`],
    ['no signature', `${head}.${payload}.`],
    ['two parts', `${head}.${payload}`],
    ['four parts', `${good}.x`],
    ['five parts', `${part({ alg: 'dir', enc: 'A256GCM' })}..a.b.c`],
    ['nothing between the dots', '..'],
    ['a dot', '.'],
    ['garbage', 'garbage'],
    ['8,000 characters', 'a'.repeat(8000)],
    ['8,000 dots', '.'.repeat(8000)],
    ['deep JSON', `${Buffer.from('['.repeat(3000)).toString('base64url')}.${payload}.${signature}`],
    ['octets', '\xff\xfe'],
  ]
  return [
    ...tokens.map(([wrong, token]) => [wrong, `Bearer ${token}`] as const),
    ['empty', ''],
    ['a scheme alone', 'Bearer'],
    ['a scheme and a blank', 'Bearer '],
    ['another scheme', `Token ${good}`],
    ['a scheme of two words', `Bearer Bearer ${good}`],
    ['no scheme', good],
    ['two tokens', `Bearer ${good}, Bearer ${good}`],
    ['two tokens with a comma', `Bearer ${good},${good}`],
    ['a token in quotes', `Bearer "${good}"`],
    ['basic', 'Basic cGF5bWVudHM6cGF5bWVudHM='],
    ['basic that is no base64', 'Basic ====='],
    ['digest', 'Digest username="payments"'],
    ['a tab', `Bearer\t${good}`],
  ]
}

function of(wrong: string, claims: object, changed: object) {
  return [wrong, { ...claims, ...changed }] as const
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function publicJwk(key: ReturnType<typeof generateKeyPairSync>['privateKey']): object {
  const { d: _, ...jwk } = key.export({ format: 'jwk' })
  return jwk
}
