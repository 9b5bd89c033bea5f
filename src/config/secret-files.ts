import { readFileSync, statSync } from 'node:fs'
import { type Environment, SECRETS } from './variables.ts'

/** Gives the text of a file. What it throws has a reason to show as its message, without a path or content. */
export type SecretReader = (path: string) => string

/** Far more than any of the secrets needs; a wrong path may lead to anything. */
const MAX_SECRET_BYTES = 64 * 1024

/**
 * The environment with the secrets that `<NAME>_FILE` variables name. An empty variable counts as unset.
 * `unread` has, by variable, why a named file gave no secret.
 */
export function withSecrets(environment: Environment, readSecret: SecretReader) {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) if (value) env[name] = value

  const unread = new Map<string, string>()
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`]
    if (path === undefined) continue
    if (env[name] !== undefined) {
      unread.set(name, `${name} and ${name}_FILE are both set: keep one of them`)
      continue
    }
    try {
      // Editors and `echo` end a file with a line feed, which belongs to no secret.
      const secret = readSecret(path).replace(/\r?\n$/, '')
      if (secret === '') throw new Error('it is empty')
      env[name] = secret
    } catch (error) {
      unread.set(name, `${name}_FILE names a file that cannot be used: ${(error as Error).message}`)
    }
  }
  return { env, unread }
}

/** The reader where no file is meant to be read. */
export function noFiles(): never {
  throw new Error('nothing reads files here')
}

/** The message does not repeat the path: somebody may have put the secret itself in its place. */
export function readSecretFile(path: string): string {
  try {
    const file = statSync(path)
    if (file.isFile() && file.size <= MAX_SECRET_BYTES) return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(code === 'ENOENT' ? 'there is none' : `reading it gives ${code}`)
  }
  throw new Error(`it must be a plain file of at most ${MAX_SECRET_BYTES / 1024} KiB`)
}
