import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from '../config/read-config.ts'

/*
 * Callers do not pass personal data or secrets to the log. This file is the safety net: it catches what a later line, or an error of
 * a library, may contain.
 */

/** Fields that are never logged. `code` is not among them, because errors have codes. */
const SECRETS = [
  ...['authorization', 'cookie', 'headers', 'body', 'password', 'secret', 'seed', 'key'],
  ...['token', 'totp', 'signature', 'authorisation'],
  ...['email', 'recipient', 'to', 'displayName', 'summary', 'text', 'html'],
]
/** Fields that drivers and mail libraries add to their errors. */
const OF_ERRORS = ['detail', 'where', 'parameters', 'response', 'envelope', 'rejected', 'recipients']
const REDACTED = '[Redacted]'

/**
 * An e-mail address, a JSON Web Token or the credentials in a URL, anywhere in a line. The lookbehind keeps a preceding JSON escape
 * whole. A user id that another system built from an address matches too: the log then does not name the user, the database does.
 */
const PERSONAL =
  /(?<!\\|\\u[0-9a-f]{0,3})[^\s"'<>()[\]{}|,;:@/\\]{1,256}@[^\s"'<>()[\]{}|,;:@/\\]+|eyJ[\w-]+(?:\.[\w-]*)+/g

/** The log of a process: JSON lines in production, text for people in development. */
export function createLogger(
  { logLevel, production }: Pick<Config, 'logLevel' | 'production'>,
  destination: DestinationStream = production
    ? writtenPerTurn()
    : pretty({ sync: true, ignore: 'pid', translateTime: 'HH:MM:ss.l' }),
): Logger {
  const options = {
    level: logLevel,
    base: { pid: process.pid },
    redact: {
      // Each path is spelled out: a wildcard costs as much as the rest of the line.
      paths: [...SECRETS, ...[...SECRETS, ...OF_ERRORS].map((name) => `err.${name}`)],
      censor: REDACTED,
    },
    hooks: { streamWrite: withoutPersonal },
  }
  return pino(options, destination)
}

/** Enough for the lines of a turn, and less than sonic-boom writes at once. */
const BUFFER_BYTES = 12 * 1024

/**
 * Writes the lines of one turn of the event loop together, because each write costs as much as the rest of a line. An exit
 * and a fatal error write at once. Only a process that is killed can lose lines, those of its last turn.
 */
function writtenPerTurn(): DestinationStream {
  const stdout = pino.destination({ sync: true, minLength: BUFFER_BYTES })
  let scheduled = false
  process.on('exit', () => stdout.flushSync())
  return Object.assign(
    {
      write(line: string) {
        stdout.write(line)
        if (scheduled) return
        scheduled = true
        setImmediate(() => {
          scheduled = false
          stdout.flush()
        })
      },
    },
    { flushSync: () => stdout.flushSync() },
  )
}

function withoutPersonal(line: string): string {
  return line.includes('@') || line.includes('eyJ') ? line.replace(PERSONAL, REDACTED) : line
}
