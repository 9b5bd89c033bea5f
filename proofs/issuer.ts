import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const ISSUER = 'https://issuer.example'
const AUDIENCE = 'countersign'

/** Issues access tokens, and serves the key to check them. */
export interface Issuer {
  readonly jwksUrl: string
  readonly issuer: string
  readonly audience: string
  token(claims: Readonly<Record<string, string>>): Promise<string>
  close(): void
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', use: 'sig', alg: 'EdDSA' }] }
  const keys = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(jwks))
  }).listen(0, '127.0.0.1')
  await once(keys, 'listening')
  return {
    jwksUrl: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`,
    issuer: ISSUER,
    audience: AUDIENCE,
    token: (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', kid: 'bench', typ: 'at+jwt' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setJti(randomUUID())
        .setExpirationTime('1h')
        .sign(privateKey),
    close: () => {
      keys.close()
      keys.closeAllConnections()
    },
  }
}
