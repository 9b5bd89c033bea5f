import { readFileSync, statSync } from 'node:fs'
import type { Environment } from './environment.ts'
import { FROM_FILES } from './variables.ts'

/** Returns the text of a file. The message of its error is a reason to print, without the path or the content. */
export type SecretReader = (path: string) => string

/** Far more than any secret, or the brands of a hundred clients, need. A wrong path may name a huge file. */
const MAX_SECRET_BYTES = 64 * 1024

/**
 * Returns the environment with the values from the files that `<NAME>_FILE` variables name. An empty variable counts as
 * unset. `unread` has the reason for each variable whose file has no usable secret.
 */
export function withSecrets(environment: Environment, readSecret: SecretReader) {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) if (value) env[name] = value

  const unread = new Map<string, string>()
  for (const name of FROM_FILES) {
    const path = env[`${name}_FILE`]
    if (path === undefined) continue
    if (env[name] !== undefined) {
      unread.set(name, `${name} and ${name}_FILE are both set: keep one of them`)
      continue
    }
    try {
      // Editors and `echo` end a file with a line feed, which is not part of the secret.
      const secret = readSecret(path).replace(/\r?\n$/, '')
      if (secret === '') throw new Error('it is empty')
      env[name] = secret
    } catch (error) {
      unread.set(name, `${name}_FILE names a file that cannot be used: ${(error as Error).message}`)
    }
  }
  return { env, unread }
}

/** A reader for callers that read no files. */
export function noFiles(): never {
  throw new Error('nothing reads files here')
}

/** Reads a file. Its error does not repeat the path, because an operator may have set the secret itself as the path. */
export function readSecretFile(path: string): string {
  try {
    const file = statSync(path)
    if (file.isFile() && file.size <= MAX_SECRET_BYTES) return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(code === 'ENOENT' ? 'it does not exist' : `reading it fails with ${code}`)
  }
  throw new Error(`it must be a plain file of at most ${MAX_SECRET_BYTES / 1024} KiB`)
}
