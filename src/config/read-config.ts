import { readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { StepUpPolicy } from '../domain/step-up-policy.ts'

/** All that the environment decides, checked and typed. */
export interface Config {
  readonly production: boolean
  readonly host: string
  readonly port: number
  /** Where metrics are told, to the network of the operator. */
  readonly managementPort: number
  /** Folder of a development set-up: its database, keys and mailbox. */
  readonly dataDir: string
  /** Undefined in development: the embedded database. */
  readonly databaseUrl: string | undefined
  /** Undefined in development: the built-in issuer. */
  readonly auth: { readonly issuer: string; readonly audience: string; readonly jwksUrl: URL } | undefined
  /** The first is active, the others still verify. Undefined in development: generated once. */
  readonly otpKeys: Keys | undefined
  readonly signingKeys: Keys | undefined
  /** Undefined: the users are in the service's own database. */
  readonly keycloak: KeycloakConfig | undefined
  /** In the order in which they are tried. Undefined in development: a mailbox. */
  readonly mail: readonly MailConfig[] | undefined
  /** `user:password` that Postmark brings when it reports. Undefined: nothing is reported. */
  readonly postmarkWebhookAuth: string | undefined
  readonly letter: LetterConfig
  readonly policy: StepUpPolicy & { readonly codeDigits: 6 | 7 | 8 }
  /** How long a challenge is kept once it has expired. */
  readonly retentionInDays: number
  /** Processes that serve. */
  readonly workers: number
  readonly logLevel: string
  /** Undefined: nothing is traced. */
  readonly tracing: TracingConfig | undefined
}

interface Key {
  readonly id: string
  readonly bytes: Uint8Array
}
export type Keys = readonly [Key, ...Key[]]

interface KeycloakConfig {
  readonly url: URL
  readonly realm: string
  readonly clientId: string
  readonly clientSecret: string
}

export type MailConfig =
  | { readonly transport: 'smtp'; readonly from: string; readonly url: string }
  | {
      readonly transport: 'postmark'
      readonly from: string
      readonly serverToken: string
      readonly apiUrl: string
      readonly messageStream: string
    }

/** How a mail looks, and what it is bound to. */
interface LetterConfig {
  readonly brand: { readonly name: string; readonly color: string; readonly logoUrl: string | undefined }
  /** The zone that times are written in. */
  readonly timeZone: string
  /** Host of the app that codes are typed into. Undefined: a code is bound to no origin. */
  readonly appHost: string | undefined
}

interface TracingConfig {
  /** Where traces go, `/v1/traces` included. */
  readonly endpoint: URL
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  /** Of the traces that begin here, from 0 to 1. */
  readonly sampledShare: number
}

/** One problem a line, with the variable's name and the way out. Never the value: it may be a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(['The configuration cannot be used:', ...problems.map((problem) => `  - ${problem}`)].join('\n'))
    this.problems = problems
  }
}

type Environment = Readonly<Record<string, string | undefined>>

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((number) => number >= min && number <= max, `must be a whole number from ${min} to ${max}`)

const url = (protocols: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })

/** Plain HTTP may carry keys and tokens on this machine only. */
const secureUrl = url(['https:', 'http:']).refine(
  (text) => !URL.canParse(text) || new URL(text).protocol === 'https:' || isLoopback(new URL(text).hostname),
  'must be an https:// URL, unless it is on this machine',
)

const keys = (accepts: (length: number) => boolean, length: string) =>
  z.string().transform((text, context): Keys => {
    const parsed = text
      .split(',')
      .map((entry) => /^([A-Za-z0-9._-]{1,32}):([A-Za-z0-9+/]+={0,2})$/.exec(entry.trim()))
    const found = parsed.flatMap((match) =>
      match ? [{ id: match[1]!, bytes: Buffer.from(match[2]!, 'base64') }] : [],
    )
    const problem = (message: string) => context.addIssue({ code: 'custom', message })

    if (found.length < parsed.length) problem('must be kid:base64, several joined by commas')
    for (const { id, bytes } of found) {
      if (!accepts(bytes.length)) problem(`key ${id} must be ${length}: openssl rand -base64 32`)
      else if (new Set(bytes).size < 8) problem(`key ${id} is not random: openssl rand -base64 32`)
    }
    if (new Set(found.map(({ id }) => id)).size < found.length) problem('has two keys of one kid')
    if (new Set(found.map(({ bytes }) => bytes.toString('hex'))).size < found.length)
      problem('has one key under two kids')
    return found as unknown as Keys
  })

/** As the specification of the OTLP exporter wants it: the form of W3C Baggage §3.3.1 without properties. */
const pairs = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const found = text.split(',').flatMap((entry) => {
    const [, name, encoded] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([\x21-\x7e]*)$/.exec(entry.trim()) ?? []
    const value = decoded(encoded)
    return name !== undefined && value !== undefined && /^[\x20-\x7e]*$/.test(value) ? [[name, value]] : []
  })
  if (found.length < text.split(',').length) {
    context.addIssue({
      code: 'custom',
      message: 'must be name=value, several joined by commas, values percent-encoded',
    })
  }
  return Object.fromEntries(found)
})

/** Every variable, alone. What one asks of another is in `missing`. */
const Variables = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'], 'must be development, test or production')
    .default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(0, 65_535).default(3000),
  MANAGEMENT_PORT: integer(0, 65_535).default(9464),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: url(['postgresql:', 'postgres:']).optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().optional(),
  AUTH_JWKS_URL: secureUrl.optional(),
  OTP_KEYS: keys((length) => length >= 32, 'at least 32 bytes').optional(),
  SIGNING_KEYS: keys((length) => length === 32, 'exactly 32 bytes, an Ed25519 seed').optional(),
  USER_DIRECTORY: z.enum(['database', 'keycloak'], 'must be database or keycloak').default('database'),
  KEYCLOAK_URL: secureUrl.refine(withoutUserInfo, 'must not hold a user or password').optional(),
  KEYCLOAK_REALM: z.string().optional(),
  KEYCLOAK_CLIENT_ID: z.string().optional(),
  KEYCLOAK_CLIENT_SECRET: z.string().optional(),
  MAIL_TRANSPORT: z
    .string()
    .transform((text) => text.replaceAll(' ', ''))
    .pipe(
      z.enum(
        ['mailbox', 'smtp', 'postmark', 'postmark,smtp', 'smtp,postmark'],
        'must be mailbox, smtp or postmark, or the last two with a comma in the order to try them',
      ),
    )
    .default('mailbox'),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]+$/, 'must be one line, as in Countersign <no-reply@bank.example>')
    .default('Countersign <no-reply@localhost>'),
  MAIL_TIME_ZONE: z
    .string()
    .refine(isTimeZone, 'must be an IANA time zone, as in Europe/Berlin')
    .default('UTC'),
  BRAND_NAME: z
    .string()
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,60}$/u, 'must be one line of at most 60 printable characters')
    .default('Countersign'),
  BRAND_COLOR: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour, as in #0f4c5c')
    .default('#0f4c5c'),
  BRAND_LOGO_URL: url(['https:']).refine(withoutUserInfo, 'must not hold a user or password').optional(),
  APP_ORIGIN: z
    .string()
    .refine(isAppOrigin, 'must be an https:// origin without a path, or http:// on localhost')
    .optional(),
  SMTP_URL: url(['smtp:', 'smtps:']).optional(),
  POSTMARK_SERVER_TOKEN: z.string().optional(),
  POSTMARK_API_URL: secureUrl.default('https://api.postmarkapp.com'),
  POSTMARK_MESSAGE_STREAM: z.string().default('outbound'),
  POSTMARK_WEBHOOK_AUTH: z
    .string()
    .regex(/^[^:\p{Cc}]+:[^\p{Cc}]{16,}$/u, 'must be user:password, the password of 16 characters or more')
    .optional(),
  OTP_DIGITS: integer(6, 8).default(6),
  OTP_LIFETIME_SECONDS: integer(1, 600).default(300),
  OTP_MAX_ATTEMPTS: integer(1, 10).default(5),
  OTP_MAX_ISSUANCES: integer(1, 100).default(5),
  OTP_RESEND_COOLDOWN_SECONDS: integer(0, 3600).default(30),
  CHALLENGE_LIFETIME_SECONDS: integer(1, 86_400).default(900),
  SUBJECT_MAX_FAILURES: integer(1, 100).default(5),
  SUBJECT_LOCK_SECONDS: integer(1, 86_400).default(900),
  SUBJECT_MAX_ISSUANCES: integer(1, 1000).default(20),
  RETENTION_DAYS: integer(1, 3650).default(90),
  WORKERS: integer(1, 256).optional(),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be a level of pino: fatal … trace, or silent',
    )
    .default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['https:', 'http:'])
    .refine(withoutUserInfo, 'must not hold a user or password: OTEL_EXPORTER_OTLP_HEADERS may')
    .optional(),
  OTEL_EXPORTER_OTLP_HEADERS: pairs.optional(),
  OTEL_SERVICE_NAME: z.string().default('countersign'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/, 'must be a share from 0 to 1, as in 0.05')
    .default('1'),
})

type VariableName = keyof typeof Variables.shape

/** What an operator has to know of a variable. */
interface Documentation {
  readonly meaning: string
  /** When it must be set; without this, never. */
  readonly required?: string
  /** A secret may come from a file as well, and is shown to nobody. */
  readonly secret?: true
}

/** Every variable in the words of docs/configuration.md, in its order. */
export const DOCUMENTED: Readonly<Record<VariableName, Documentation>> = {
  NODE_ENV: { meaning: '`development`, `test` or `production`. Production refuses to start on a stand-in.' },
  HOST: { meaning: 'Address to listen on; `0.0.0.0` for every one.', required: 'in production' },
  PORT: { meaning: 'Port to listen on; `0` for any free one.', required: 'in production' },
  MANAGEMENT_PORT: {
    meaning:
      'Port of `/metrics` on the same `HOST`, not for the outside: it asks nobody who they are. Each process on a machine needs its own.',
    required: 'in production',
  },
  DATA_DIR: { meaning: 'Folder of a development set-up: its database, keys and mailbox.' },
  DATABASE_URL: {
    meaning: 'PostgreSQL, as `postgresql://user:password@host:5432/database`. Unset: an embedded one.',
    required: 'in production',
    secret: true,
  },
  AUTH_ISSUER: {
    meaning: 'The `iss` of the access tokens to accept. Unset: a built-in issuer.',
    required: 'in production, and with either of the next two',
  },
  AUTH_AUDIENCE: {
    meaning: 'The `aud` that names this service in access tokens.',
    required: 'in production, and with `AUTH_ISSUER`',
  },
  AUTH_JWKS_URL: {
    meaning: 'Where the issuer publishes its keys (JWK Set); `https://`, unless on this machine.',
    required: 'in production, and with `AUTH_ISSUER`',
  },
  OTP_KEYS: {
    meaning:
      'Keys that codes are derived from, as `kid:base64` of 32 random bytes or more, joined by commas. The first is active, the others still verify. Unset: generated once.',
    required: 'in production',
    secret: true,
  },
  SIGNING_KEYS: {
    meaning:
      'Keys that challenges and authorisations are signed with (Ed25519), as `kid:base64` of 32 random bytes. Order as above.',
    required: 'in production',
    secret: true,
  },
  USER_DIRECTORY: {
    meaning: 'Who knows the users: `database` (routes and imports of this service) or `keycloak`.',
  },
  KEYCLOAK_URL: {
    meaning: 'Keycloak up to, and without, `/realms` or `/admin`; `https://`, unless on this machine.',
    required: 'with `USER_DIRECTORY=keycloak`',
  },
  KEYCLOAK_REALM: { meaning: 'The realm of the users.', required: 'with `USER_DIRECTORY=keycloak`' },
  KEYCLOAK_CLIENT_ID: {
    meaning: 'A client with a service account that has the role `view-users`.',
    required: 'with `USER_DIRECTORY=keycloak`',
  },
  KEYCLOAK_CLIENT_SECRET: {
    meaning: 'The secret of that client.',
    required: 'with `USER_DIRECTORY=keycloak`',
    secret: true,
  },
  MAIL_TRANSPORT: {
    meaning:
      '`mailbox` (development), `smtp`, `postmark`, or the last two with a comma: what the first does not take goes to the second.',
    required: 'in production',
  },
  MAIL_FROM: {
    meaning: 'The sender, as in `Countersign <no-reply@bank.example>`.',
    required: 'in production',
  },
  MAIL_TIME_ZONE: { meaning: 'The zone that mails write times in, as in `Europe/Berlin` (IANA).' },
  BRAND_NAME: { meaning: 'Whose mails they are: one line, at most 60 characters.' },
  BRAND_COLOR: { meaning: 'The colour of the mails, as in `#0f4c5c`.' },
  BRAND_LOGO_URL: {
    meaning: 'An `https://` picture that stands on the colour in place of the name. Unset: the name.',
  },
  APP_ORIGIN: {
    meaning:
      'Where codes are typed in, as in `https://app.bank.example`. Binds them to it: a browser offers them nowhere else.',
  },
  SMTP_URL: {
    meaning: '`smtp://user:password@host:587` or `smtps://user:password@host:465`, percent-encoded.',
    required: 'with `smtp` in `MAIL_TRANSPORT`',
    secret: true,
  },
  POSTMARK_SERVER_TOKEN: {
    meaning: 'The API token of the Postmark server.',
    required: 'with `postmark` in `MAIL_TRANSPORT`',
    secret: true,
  },
  POSTMARK_API_URL: { meaning: "Postmark's API; `https://`, unless on this machine." },
  POSTMARK_MESSAGE_STREAM: {
    meaning: 'The message stream of the codes. One of their own keeps complaints about other mails away.',
  },
  POSTMARK_WEBHOOK_AUTH: {
    meaning:
      '`user:password` (16 characters or more) that Postmark brings to `/webhooks/postmark`. Unset: no such route.',
    required: 'in production with `postmark` in `MAIL_TRANSPORT`',
    secret: true,
  },
  OTP_DIGITS: { meaning: 'Digits of a code, 6 to 8.' },
  OTP_LIFETIME_SECONDS: { meaning: 'How long a code lives, at most 600.' },
  OTP_MAX_ATTEMPTS: { meaning: 'Wrong codes a challenge bears, 1 to 10.' },
  OTP_MAX_ISSUANCES: { meaning: 'Codes a challenge may have, 1 to 100.' },
  OTP_RESEND_COOLDOWN_SECONDS: {
    meaning:
      'Time between the first two codes of a challenge, at most 3600. Each further one waits twice as long, up to the lifetime of a code.',
  },
  CHALLENGE_LIFETIME_SECONDS: {
    meaning: 'How long a challenge lives when its operation service does not say, at most 86400.',
  },
  SUBJECT_MAX_FAILURES: {
    meaning: 'Wrong codes in a row, over all challenges of a subject, before a lock; 1 to 100.',
  },
  SUBJECT_LOCK_SECONDS: {
    meaning: 'Length of the first lock, at most 86400. Each further one doubles, up to a day.',
  },
  SUBJECT_MAX_ISSUANCES: { meaning: 'Codes a subject may have in any hour, 1 to 1000.' },
  RETENTION_DAYS: {
    meaning: 'How long an expired challenge is kept, with its issuances and its audit trail; 1 to 3650.',
  },
  WORKERS: { meaning: 'Processes that serve. Unset: one in development, one per core in production.' },
  LOG_LEVEL: { meaning: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.' },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    meaning:
      'Where traces go: an OpenTelemetry collector that takes OTLP over HTTP. Unset: nothing is traced.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    meaning: 'What to send along to it, as `name=value,name=value`, percent-encoded; mostly a credential.',
    secret: true,
  },
  OTEL_SERVICE_NAME: { meaning: 'Whose traces they are.' },
  OTEL_TRACES_SAMPLER_ARG: {
    meaning: 'Share of the requests to trace, from `0` to `1`, of those that bring no decision of their own.',
  },
}

const VARIABLES = Object.keys(DOCUMENTED) as VariableName[]

/** The variables that may come from the file that `<NAME>_FILE` names, as container platforms mount secrets. */
export const SECRETS = VARIABLES.filter((name) => DOCUMENTED[name].secret)

/** Development has a stand-in for each of these; production must not run on a stand-in. */
const REQUIRED_IN_PRODUCTION: Readonly<Record<string, string>> = {
  HOST: 'the address to listen on, 0.0.0.0 for every one',
  PORT: 'the port to listen on',
  MANAGEMENT_PORT: 'the port of /metrics, which nobody outside has to reach',
  DATABASE_URL: 'postgresql://user:password@host:5432/database',
  AUTH_ISSUER: 'the `iss` of the access tokens to accept',
  AUTH_AUDIENCE: 'the `aud` that names this service in access tokens',
  AUTH_JWKS_URL: "the URL of the token issuer's JWK Set",
  OTP_KEYS: 'kid:base64 of 32 random bytes, as in k1:$(openssl rand -base64 32)',
  SIGNING_KEYS: 'kid:base64 of 32 random bytes, as in s1:$(openssl rand -base64 32)',
  MAIL_TRANSPORT: 'postmark, smtp, or both as in postmark,smtp',
  MAIL_FROM: 'the sender, as in Countersign <no-reply@bank.example>',
}

/** Gives the text of a file. What it throws has a reason to show as its message, without a path or content. */
export type SecretReader = (path: string) => string

/** Far more than any of the secrets needs; a wrong path may lead to anything. */
const MAX_SECRET_BYTES = 64 * 1024

/**
 * Reads the configuration out of environment variables. Pure, given a pure reader. An empty variable counts as unset.
 *
 * @throws {ConfigError} with all problems at once.
 */
export function readConfig(environment: Environment, readSecret: SecretReader = noFiles): Config {
  const { env, unread } = withSecrets(environment, readSecret)
  const parsed = Variables.safeParse(env)
  const malformed = parsed.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []

  const problems = [...unread.values(), ...malformed, ...missing(env, unread)]
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  return freeze(parsed.data)
}

/** The configuration of this process. @throws {ConfigError} */
export function loadConfig(): Config {
  return readConfig(process.env, readSecretFile)
}

/** Where the database is: enough for who applies migrations, and may have an account and secrets of their own. */
export type DatabaseLocation = Pick<Config, 'databaseUrl' | 'dataDir'>

/** @throws {ConfigError} about no other variable. */
export function readDatabaseLocation(
  environment: Environment,
  readSecret: SecretReader = noFiles,
): DatabaseLocation {
  const { NODE_ENV, DATA_DIR, DATABASE_URL, DATABASE_URL_FILE } = environment
  const production = NODE_ENV === 'production'
  const { databaseUrl, dataDir } = readConfig(
    { DATA_DIR, DATABASE_URL, DATABASE_URL_FILE, ...(!production && { NODE_ENV }) },
    readSecret,
  )
  if (production && !databaseUrl) throw new ConfigError([notSet('DATABASE_URL')])
  return { databaseUrl, dataDir }
}

/** @throws {ConfigError} */
export function loadDatabaseLocation(): DatabaseLocation {
  return readDatabaseLocation(process.env, readSecretFile)
}

/** A variable as it is in force, fit to be shown. */
export interface Setting {
  readonly name: string
  /** Of a secret only what everybody may know; undefined if there is none. */
  readonly value: string | undefined
  readonly source: 'default' | 'environment' | 'file'
}

/** What {@link readConfig} makes of the variables, one by one. @throws {ConfigError} */
export function readSettings(
  environment: Environment,
  readSecret: SecretReader = noFiles,
): readonly Setting[] {
  const config = readConfig(environment, readSecret)
  const { env } = withSecrets(environment, readSecret)
  const inForce = { ...Variables.parse(env), WORKERS: config.workers }
  return VARIABLES.map((name) => ({
    name,
    value: shown(name, inForce[name]),
    source: env[name] === undefined ? 'default' : environment[name] ? 'environment' : 'file',
  }))
}

/** The variables of this process. @throws {ConfigError} */
export function loadSettings(): readonly Setting[] {
  return readSettings(process.env, readSecretFile)
}

function shown(name: VariableName, value: unknown): string | undefined {
  if (value === undefined) return undefined
  // The ids of keys stand in tokens and in the database; the first is active.
  if (Array.isArray(value))
    return `withheld, by kid: ${(value as unknown as Keys).map(({ id }) => id).join(', ')}`
  return DOCUMENTED[name].secret ? 'withheld' : String(value)
}

/** The environment with what the files hold that it names, and why others of them hold nothing, by variable. */
function withSecrets(environment: Environment, readSecret: SecretReader) {
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

function noFiles(): never {
  throw new Error('nothing reads files here')
}

/** The path is not repeated: somebody may have put the secret itself in its place. */
function readSecretFile(path: string): string {
  try {
    const file = statSync(path)
    if (file.isFile() && file.size <= MAX_SECRET_BYTES) return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(code === 'ENOENT' ? 'there is none' : `reading it gives ${code}`)
  }
  throw new Error(`it must be a plain file of at most ${MAX_SECRET_BYTES / 1024} KiB`)
}

/** What has to be set given what else is, and what must not be set so. Of what could not be read it is known already. */
function missing(env: Environment, unread: ReadonlyMap<string, string>): string[] {
  const production = env.NODE_ENV === 'production'
  const required = new Map(production ? Object.entries(REQUIRED_IN_PRODUCTION) : [])

  if (env.USER_DIRECTORY === 'keycloak') {
    required.set('KEYCLOAK_URL', 'https://login.bank.example, the part before /realms or /admin')
    required.set('KEYCLOAK_REALM', 'the realm of the users')
    required.set('KEYCLOAK_CLIENT_ID', 'a client with a service account that has the role view-users')
    required.set('KEYCLOAK_CLIENT_SECRET', 'the secret of that client')
  }
  const transports = env.MAIL_TRANSPORT?.split(/[, ]+/) ?? []
  if (transports.includes('smtp')) required.set('SMTP_URL', 'smtp://user:password@host:587 or smtps://…:465')
  if (transports.includes('postmark'))
    required.set('POSTMARK_SERVER_TOKEN', 'the API token of your Postmark server')
  if (production && transports.includes('postmark'))
    required.set('POSTMARK_WEBHOOK_AUTH', 'user:password of your choice for https://…/webhooks/postmark')
  const auth = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL']
  if (auth.some((name) => env[name]))
    for (const name of auth) required.set(name, REQUIRED_IN_PRODUCTION[name]!)

  const problems = [...required]
    .filter(([name]) => !env[name] && !unread.has(name))
    .map(([name, hint]) => notSet(name, hint))
  if (production && env.MAIL_TRANSPORT === 'mailbox') {
    problems.push('MAIL_TRANSPORT is mailbox, which sends nothing: set postmark or smtp')
  }
  if (production && env.POSTMARK_SERVER_TOKEN === 'POSTMARK_API_TEST') {
    problems.push(
      'POSTMARK_SERVER_TOKEN is the test token, which sends nothing: set the token of your server',
    )
  }
  const collector = env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (collector && env.OTEL_EXPORTER_OTLP_HEADERS && !secureUrl.safeParse(collector).success) {
    problems.push(
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an https:// URL, unless it is on this machine: OTEL_EXPORTER_OTLP_HEADERS may hold a credential',
    )
  }
  return problems
}

function notSet(name: string, hint = REQUIRED_IN_PRODUCTION[name]): string {
  return `${name} is not set: ${hint}`
}

function freeze(env: z.infer<typeof Variables>): Config {
  const production = env.NODE_ENV === 'production'
  return Object.freeze({
    production,
    host: env.HOST,
    port: env.PORT,
    managementPort: env.MANAGEMENT_PORT,
    dataDir: env.DATA_DIR,
    databaseUrl: env.DATABASE_URL,
    auth:
      env.AUTH_ISSUER && env.AUTH_AUDIENCE && env.AUTH_JWKS_URL
        ? { issuer: env.AUTH_ISSUER, audience: env.AUTH_AUDIENCE, jwksUrl: new URL(env.AUTH_JWKS_URL) }
        : undefined,
    otpKeys: env.OTP_KEYS,
    signingKeys: env.SIGNING_KEYS,
    keycloak:
      env.USER_DIRECTORY === 'keycloak'
        ? {
            url: new URL(env.KEYCLOAK_URL!),
            realm: env.KEYCLOAK_REALM!,
            clientId: env.KEYCLOAK_CLIENT_ID!,
            clientSecret: env.KEYCLOAK_CLIENT_SECRET!,
          }
        : undefined,
    mail: mailConfig(env),
    postmarkWebhookAuth: env.POSTMARK_WEBHOOK_AUTH,
    letter: {
      brand: { name: env.BRAND_NAME, color: env.BRAND_COLOR, logoUrl: env.BRAND_LOGO_URL },
      timeZone: env.MAIL_TIME_ZONE,
      appHost: env.APP_ORIGIN === undefined ? undefined : new URL(env.APP_ORIGIN).hostname,
    },
    policy: {
      codeDigits: env.OTP_DIGITS as 6 | 7 | 8,
      codeLifetimeInSeconds: env.OTP_LIFETIME_SECONDS,
      maxAttempts: env.OTP_MAX_ATTEMPTS,
      maxIssuances: env.OTP_MAX_ISSUANCES,
      resendCooldownInSeconds: env.OTP_RESEND_COOLDOWN_SECONDS,
      challengeLifetimeInSeconds: env.CHALLENGE_LIFETIME_SECONDS,
      subjectMaxFailures: env.SUBJECT_MAX_FAILURES,
      subjectLockInSeconds: env.SUBJECT_LOCK_SECONDS,
      subjectMaxIssuancesPerHour: env.SUBJECT_MAX_ISSUANCES,
    },
    retentionInDays: env.RETENTION_DAYS,
    workers: env.WORKERS ?? (production ? availableParallelism() : 1),
    logLevel: env.LOG_LEVEL,
    tracing: tracingConfig(env),
  })
}

function tracingConfig(env: z.infer<typeof Variables>): TracingConfig | undefined {
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined
  const endpoint = new URL(env.OTEL_EXPORTER_OTLP_ENDPOINT)
  endpoint.pathname = `${endpoint.pathname.replace(/\/$/, '')}/v1/traces`
  return {
    endpoint,
    headers: env.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    serviceName: env.OTEL_SERVICE_NAME,
    sampledShare: Number(env.OTEL_TRACES_SAMPLER_ARG),
  }
}

function mailConfig(env: z.infer<typeof Variables>): readonly MailConfig[] | undefined {
  if (env.MAIL_TRANSPORT === 'mailbox') return undefined
  const from = env.MAIL_FROM
  return env.MAIL_TRANSPORT.split(',').map((transport) =>
    transport === 'smtp'
      ? { transport, from, url: env.SMTP_URL! }
      : {
          transport: 'postmark',
          from,
          serverToken: env.POSTMARK_SERVER_TOKEN!,
          apiUrl: env.POSTMARK_API_URL,
          messageStream: env.POSTMARK_MESSAGE_STREAM,
        },
  )
}

/** `fetch` refuses a URL that holds credentials, each time it is asked. */
function withoutUserInfo(text: string): boolean {
  return !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === '')
}

function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function isTimeZone(name: string): boolean {
  try {
    // A bare offset is a zone to Intl too, but one that does not know of summer.
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

/** What browsers bind a code to: a secure origin, and `localhost` while developing. */
function isAppOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, origin } = new URL(text)
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost'))
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
