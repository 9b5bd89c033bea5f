import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from '../config/read-config.ts'

/*
 * What must not be in a log is not given to it in the first place. This is the net below that, for what a later line, or an error
 * of a library, might bring along.
 */

/** Names under which there is nothing to log. `code` is not one of them: errors have codes. */
const SECRETS = [
  ...['authorization', 'cookie', 'headers', 'body', 'password', 'secret', 'seed', 'key'],
  ...['token', 'totp', 'signature', 'authorisation'],
  ...['email', 'recipient', 'to', 'displayName', 'summary', 'text', 'html'],
]
/** What drivers and mail libraries hang on their errors. */
const OF_ERRORS = ['detail', 'where', 'parameters', 'response', 'envelope', 'rejected', 'recipients']
const REDACTED = '[Redacted]'

/**
 * An address, a JSON Web Token, or the credentials in a URL, wherever they stand in a line, but no part of an escape of JSON before them. An
 * id that another system made of an address is one too: who it is then stands in the database, not in the log.
 */
const PERSONAL =
  /(?<!\\|\\u[0-9a-f]{0,3})[^\s"'<>()[\]{}|,;:@/\\]{1,256}@[^\s"'<>()[\]{}|,;:@/\\]+|eyJ[\w-]+(?:\.[\w-]*)+/g

/** The log of a process: lines of JSON in production, and to be read by people in development. */
export function createLogger(
  { logLevel, production }: Pick<Config, 'logLevel' | 'production'>,
  destination: DestinationStream | undefined = production
    ? undefined
    : pretty({ sync: true, ignore: 'pid', translateTime: 'HH:MM:ss.l' }),
): Logger {
  const options = {
    level: logLevel,
    base: { pid: process.pid },
    redact: {
      // Named one by one: a wildcard costs as much as the rest of the line.
      paths: [...SECRETS, ...[...SECRETS, ...OF_ERRORS].map((name) => `err.${name}`)],
      censor: REDACTED,
    },
    hooks: { streamWrite: withoutPersonal },
  }
  return destination ? pino(options, destination) : pino(options)
}

function withoutPersonal(line: string): string {
  return line.includes('@') || line.includes('eyJ') ? line.replace(PERSONAL, REDACTED) : line
}
