import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The keys of development. They are kept across restarts, so codes, signatures and tokens stay valid. */
export interface DevelopmentKeys {
  /** 32 octets, base64. */
  readonly otpKey: string
  /** An Ed25519 seed of 32 octets, base64. */
  readonly signingKey: string
  /** An Ed25519 private key as a JWK. */
  readonly issuerKey: { readonly kty: string; readonly crv: string; readonly x: string; readonly d: string }
}

/** Reads the keys at `path`. Generates them if they do not exist; if several processes start together, one wins. */
export async function developmentKeys(path: string): Promise<DevelopmentKeys> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, JSON.stringify(generate(), undefined, 2), { mode: 0o600 })
  try {
    // A link appears complete, and only if the file does not exist yet.
    await link(draft, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    await rm(draft)
  }
  return JSON.parse(await readFile(path, 'utf8'))
}

function generate(): DevelopmentKeys {
  const issuerKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return {
    otpKey: randomBytes(32).toString('base64'),
    signingKey: randomBytes(32).toString('base64'),
    issuerKey: issuerKey as DevelopmentKeys['issuerKey'],
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
