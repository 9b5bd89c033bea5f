import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { Brand, Sender } from '../domain/brand.ts'
import type { StepUpPolicy } from '../domain/step-up-policy.ts'
import type { WebhookUrl } from '../domain/webhook-registration.ts'
import { brandRules } from './brand-rules.ts'
import { type ClientBrands, domainOf, renamed } from './brands.ts'
import { endlessUpdate } from './endless-update.ts'
import type { Environment } from './environment.ts'
import { type DkimKeys, type Keys, secureUrl } from './formats.ts'
import { mixedSettings } from './mixed-settings.ts'
import { lenientPolicy } from './policy-bounds.ts'
import { noFiles, readSecretFile, type SecretReader, withSecrets } from './secret-files.ts'
import { sharedKeys } from './shared-keys.ts'
import { unprotectedDatabase, unprotectedPeers } from './unprotected-peers.ts'
import { declarations, type Values } from './variables.ts'
import { parsedWebhooks, type WebhookDestinations, webhookDestinations, webhookUrls } from './webhook-urls.ts'

/** The whole configuration, checked and typed. */
export interface Config {
  readonly production: boolean
  readonly host: string
  readonly port: number
  /** The place of `/metrics`, for the operator's network only. */
  readonly managementHost: string
  readonly managementPort: number
  /** Whose `X-Forwarded-For` counts. */
  readonly trustedProxies: readonly string[]
  /** Whether the API's document and the page that shows it are served. */
  readonly docs: boolean
  /** Folder of a development set-up: its database, keys and mailbox. */
  readonly dataDir: string
  /** Undefined in development: the embedded database. */
  readonly databaseUrl: string | undefined
  /** Whether the tables are on one server, or on several that Citus connects. */
  readonly databaseSharding: 'none' | 'citus'
  /** Undefined in development: the built-in issuer. */
  readonly auth: AuthConfig | undefined
  /** The first is active, the others still verify. Undefined in development: generated once. */
  readonly otpKeys: Keys | undefined
  readonly signingKeys: Keys | undefined
  /** Until when rows without a seal count. Undefined: they never do. */
  readonly unsealedUntil: Date | undefined
  /** Undefined: the users are in the service's own database. */
  readonly keycloak: KeycloakConfig | undefined
  /** In the order in which the service tries them. Undefined in development: a mailbox. */
  readonly mail: readonly MailConfig[] | undefined
  /** The name servers that know the records of the sender. Undefined: those of this machine. */
  readonly nameServers: readonly string[] | undefined
  /** Undefined: notices of mail systems go to the sender of the mails. */
  readonly bounces: BounceConfig | undefined
  /** `user:password` with which Postmark authenticates its reports. Undefined: the service accepts no reports. */
  readonly postmarkWebhookAuth: string | undefined
  /** Undefined: there is no support desk. */
  readonly support: SupportConfig | undefined
  readonly webhooks: WebhooksConfig
  readonly letter: LetterConfig
  /** The brands of the clients that have one of their own, by client id. */
  readonly brands: ReadonlyMap<string, ClientBrand>
  /** Undefined: mails have no link. */
  readonly report: { readonly url: string; readonly page: boolean } | undefined
  readonly policy: StepUpPolicy & { readonly codeDigits: 6 | 7 | 8 }
  /** How long the service keeps an expired challenge, and an event. */
  readonly retention: { readonly challengesInDays: number; readonly trailInDays: number }
  /** Processes that serve. */
  readonly workers: number
  readonly logLevel: string
  /** Undefined: no tracing. */
  readonly tracing: TracingConfig | undefined
}

/** Whose access tokens the service accepts, and how their issuer writes them. */
interface AuthConfig {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: URL
  readonly clockToleranceInSeconds: number
  readonly provider: Values['AUTH_PROVIDER']
  /** Single settings, which replace those of the provider. */
  readonly claims: {
    readonly client: string | undefined
    readonly service: { readonly name: string; readonly value: string } | undefined
    readonly scope: string | undefined
    readonly scopePrefix: string | undefined
    readonly user: string | undefined
  }
  /** What a token of a user needs besides. */
  readonly users: {
    readonly scope: string | undefined
    readonly clients: readonly string[] | undefined
    readonly maxAgeInSeconds: number | undefined
    readonly maxLoginAgeInSeconds: number | undefined
  }
}

interface KeycloakConfig {
  readonly url: URL
  readonly realm: string
  readonly clientId: string
  readonly clientSecret: string
}

/** How the service learns of mails that came back over SMTP. */
interface BounceConfig {
  readonly domain: string
  /** Those of brands that have one of their own. */
  readonly brandDomains: readonly string[]
  /** Where this process takes notices. Undefined: it takes none. `shared`: other workers listen on the same port. */
  readonly intake: { readonly host: string; readonly port: number; readonly shared: boolean } | undefined
}

export type MailConfig =
  | {
      readonly transport: 'smtp'
      readonly from: string
      readonly replyTo: string | undefined
      readonly url: string
      readonly ehloName: string | undefined
      /** Undefined: the login is the password in `url`, if there is one. */
      readonly oauth: SmtpOauthConfig | undefined
      /** The first one of a domain signs for it. The others are of a rotation. */
      readonly dkimKeys: readonly (DkimKeys[number] & { readonly domain: string })[]
    }
  | {
      readonly transport: 'postmark'
      readonly from: string
      readonly replyTo: string | undefined
      readonly serverToken: string
      readonly apiUrl: string
      readonly messageStream: string
    }

interface SmtpOauthConfig {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
}

/** The page on the management port on which support agents look users up. */
export interface SupportConfig {
  /** Where the browsers of the agents reach it. */
  readonly origin: string
  /** Where the agents sign in. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: string
  /** The claim with the roles of an agent. */
  readonly roleClaim: string
  readonly readRole: string
  readonly writeRole: string
  readonly sessionInSeconds: number
}

/** How services get the events of their challenges. */
interface WebhooksConfig {
  /** Where they get them, by client id. Without a URL, a service reads them with a cursor. Undefined: the configuration has no say in it. */
  readonly configured: ReadonlyMap<string, WebhookUrl | undefined> | undefined
  readonly destinations: WebhookDestinations
}

/** How a mail looks, and the origin to which its code is bound. */
interface LetterConfig {
  readonly brand: { readonly name: string; readonly color: string; readonly logoUrl: string | undefined }
  /** The time zone of the times in a mail. */
  readonly timeZone: string
  /** The host of the app into which users type codes. Undefined: a code is bound to no origin. */
  readonly appHost: string | undefined
}

/** The brand of a client. It says who sends its mails. */
export interface ClientBrand extends Brand {
  readonly sender: Sender
}

interface TracingConfig {
  /** The URL of the collector, including `/v1/traces`. */
  readonly endpoint: URL
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  /** The share of traces that begin here to sample, from 0 to 1. */
  readonly sampledShare: number
}

/** Has one line for each problem, with the variable and what to do. It never has the value, which may be a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(['The configuration cannot be used:', ...problems.map((problem) => `  - ${problem}`)].join('\n'))
    this.problems = problems
  }
}

const SCHEMA = z.object(Object.fromEntries(declarations.map(([name, { schema }]) => [name, schema])))

/**
 * Reads the configuration from environment variables, as it is good at `now`. Pure if the reader is pure. An empty variable counts as unset.
 *
 * @throws {ConfigError} with all problems at once.
 */
export function readConfig(
  environment: Environment,
  readSecret: SecretReader = noFiles,
  now = new Date(),
): Config {
  return freeze(readValues(environment, readSecret, [...RULES, endlessUpdate(now)]).values)
}

/** The configuration of this process. @throws {ConfigError} */
export function loadConfig(): Config {
  return readConfig(process.env, readSecretFile)
}

/** Where the database is. A command that only migrates needs no other variable, so it can run without the other secrets. */
export type DatabaseLocation = Pick<Config, 'databaseUrl' | 'databaseSharding' | 'dataDir'>

/** Checks the variables of the database only. @throws {ConfigError} */
export function readDatabaseLocation(
  environment: Environment,
  readSecret: SecretReader = noFiles,
): DatabaseLocation {
  const ofDatabase = Object.entries(environment).filter(([name]) => DATABASE_VARIABLES.has(name))
  const { values } = readValues(Object.fromEntries(ofDatabase), readSecret, [
    (env, unread) => missing(env, unread).filter((problem) => problem.startsWith('DATABASE_URL')),
    unprotectedDatabase,
  ])
  return {
    databaseUrl: values.DATABASE_URL,
    databaseSharding: values.DATABASE_SHARDING,
    dataDir: values.DATA_DIR,
  }
}

/** Those that say where the database is, and those of node-postgres that count if `DATABASE_URL` does not say it. */
const DATABASE_VARIABLES = new Set([
  ...['NODE_ENV', 'DATA_DIR', 'DATABASE_URL', 'DATABASE_URL_FILE', 'DATABASE_TLS', 'DATABASE_SHARDING'],
  ...['PGHOST', 'PGSSLMODE'],
])

/** The keys of `SIGNING_KEYS` alone, for a command that needs no other variable. Undefined if it is not set. @throws {ConfigError} */
export function loadSigningKeys(): Keys | undefined {
  const { SIGNING_KEYS, SIGNING_KEYS_FILE } = process.env
  return readConfig({ SIGNING_KEYS, SIGNING_KEYS_FILE }, readSecretFile).signingKeys
}

/** @throws {ConfigError} */
export function loadDatabaseLocation(): DatabaseLocation {
  return readDatabaseLocation(process.env, readSecretFile)
}

/** Reports what is wrong with variables that are each well-formed. */
type Rule = (env: Environment, unread: ReadonlyMap<string, string>) => readonly string[]

const RULES: readonly Rule[] = [
  missing,
  conflicting,
  sharedKeys,
  mixedSettings,
  unprotectedPeers,
  lenientPolicy,
  brandRules,
  webhookUrls,
]

/** The checked values, and the texts from which they were read. @throws {ConfigError} with all problems at once. */
export function readValues(environment: Environment, readSecret: SecretReader, rules = RULES) {
  const { env, unread } = withSecrets(environment, readSecret)
  const parsed = SCHEMA.safeParse(env)
  const malformed = parsed.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []

  const problems = [...unread.values(), ...malformed, ...rules.flatMap((rule) => rule(env, unread))]
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  return { env, values: parsed.data as Values }
}

/** Reports required variables that are not set. A file that could not be read is reported already. */
function missing(env: Environment, unread: ReadonlyMap<string, string>): string[] {
  return declarations.flatMap(([name, { required, example }]) =>
    !env[name] && !unread.has(name) && required?.some((condition) => condition.holds(env))
      ? [notSet(name, example)]
      : [],
  )
}

/** Reports values that conflict with other values. */
function conflicting(env: Environment): string[] {
  const problems: string[] = []
  const production = env.NODE_ENV === 'production'
  if (production && env.MAIL_TRANSPORT === 'mailbox') {
    problems.push('MAIL_TRANSPORT is mailbox, which sends nothing: set postmark or smtp')
  }
  if (production && env.POSTMARK_SERVER_TOKEN === 'POSTMARK_API_TEST') {
    problems.push(
      'POSTMARK_SERVER_TOKEN is the test token, which sends nothing: set the token of your server',
    )
  }
  if (env.SMTP_OAUTH_TOKEN_URL && env.SMTP_URL && URL.canParse(env.SMTP_URL)) {
    const { username, password } = new URL(env.SMTP_URL)
    if (username === '' || password !== '') {
      problems.push(
        'SMTP_URL must have the mailbox as user and no password, because SMTP_OAUTH_TOKEN_URL is set: smtp://no-reply%40bank.example@smtp.office365.com:587',
      )
    }
  }
  if (production && env.REPORT_URL?.startsWith('http:')) {
    problems.push('REPORT_URL must be an https:// URL in production: users follow it from their mails')
  }
  if (env.BOUNCE_DOMAIN && !env.MAIL_TRANSPORT?.split(/[, ]+/).includes('smtp')) {
    problems.push('BOUNCE_DOMAIN is for mails over SMTP, and MAIL_TRANSPORT has no smtp: unset it')
  }
  if (env.USER_DIRECTORY === 'keycloak' && Number(env.ADDRESS_HOLD_SECONDS) > 0) {
    problems.push(
      'ADDRESS_HOLD_SECONDS must be 0 with USER_DIRECTORY=keycloak, which does not say when an address changed: let Keycloak verify a new address',
    )
  }
  const signsInAtAuthIssuer = env.SUPPORT_ORIGIN && !env.SUPPORT_ISSUER && env.AUTH_ISSUER
  if (signsInAtAuthIssuer && !secureUrl.safeParse(env.AUTH_ISSUER).success) {
    problems.push(
      'SUPPORT_ISSUER is not set, and AUTH_ISSUER is no https:// URL: set SUPPORT_ISSUER to the OpenID Connect issuer at which support agents sign in',
    )
  }
  const {
    SUPPORT_READ_ROLE: readRole = 'mfa:support:read',
    SUPPORT_WRITE_ROLE: writeRole = 'mfa:support:write',
  } = env
  if (readRole === writeRole) {
    problems.push(
      'SUPPORT_READ_ROLE and SUPPORT_WRITE_ROLE are the same role: give those who may unlock a role of their own',
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

function notSet(name: string, example: string): string {
  return `${name} is not set: ${example}`
}

/** From the first event of a challenge to its expiry: a day until it is verified, and a day for its approval, at most. */
const LONGEST_LIFE_IN_DAYS = 2

function freeze(env: Values): Config {
  const production = env.NODE_ENV === 'production'
  return Object.freeze({
    production,
    host: env.HOST,
    port: env.PORT,
    managementHost: env.MANAGEMENT_HOST,
    managementPort: env.MANAGEMENT_PORT,
    trustedProxies: env.TRUSTED_PROXIES ?? [],
    docs: env.DOCS === 'on',
    dataDir: env.DATA_DIR,
    databaseUrl: env.DATABASE_URL,
    databaseSharding: env.DATABASE_SHARDING,
    auth: authConfig(env),
    otpKeys: env.OTP_KEYS,
    signingKeys: env.SIGNING_KEYS,
    unsealedUntil: env.UNSEALED_UNTIL,
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
    nameServers: env.DNS_SERVERS?.split(','),
    bounces: bounceConfig(env),
    postmarkWebhookAuth: env.POSTMARK_WEBHOOK_AUTH,
    support: supportConfig(env),
    webhooks: webhooksConfig(env),
    letter: {
      brand: { name: env.BRAND_NAME, color: env.BRAND_COLOR, logoUrl: env.BRAND_LOGO_URL },
      timeZone: env.MAIL_TIME_ZONE,
      appHost: hostOf(env.APP_ORIGIN),
    },
    brands: brandsOf(env),
    report:
      env.REPORT_URL === undefined ? undefined : { url: env.REPORT_URL, page: env.REPORT_PAGE === 'on' },
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
      mailboxMaxIssuancesPerHour: env.MAILBOX_MAX_ISSUANCES,
      addressHoldInSeconds: env.ADDRESS_HOLD_SECONDS,
      subjectMaxLiveChallenges: env.SUBJECT_MAX_CHALLENGES,
    },
    retention: {
      challengesInDays: env.RETENTION_DAYS,
      // A challenge without its events would say nothing, and what still waits for its service could not be sent.
      trailInDays: Math.max(env.TRAIL_RETENTION_DAYS, env.RETENTION_DAYS + LONGEST_LIFE_IN_DAYS),
    },
    workers: workersOf(env),
    logLevel: env.LOG_LEVEL,
    tracing: tracingConfig(env),
  })
}

/** What a client leaves out of its brand is as for all, except what belongs to a name or a sender: the logo, and who gets the answers. */
function brandsOf(env: Values): ReadonlyMap<string, ClientBrand> {
  const { BRAND_COLOR, APP_ORIGIN, MAIL_FROM, MAIL_REPLY_TO, BOUNCE_DOMAIN } = env
  const brands: ClientBrands = env.BRANDS ?? new Map()
  return new Map(
    [...brands].map(([clientId, { name, color, logoUrl, languages, appOrigin, ...sender }]) => [
      clientId,
      {
        name,
        color: color ?? BRAND_COLOR,
        logoUrl,
        languages,
        appHost: hostOf(appOrigin ?? APP_ORIGIN),
        sender: {
          from: sender.from ?? renamed(MAIL_FROM, name),
          replyTo: sender.replyTo ?? (sender.from === undefined ? MAIL_REPLY_TO : undefined),
          bounceDomain: sender.bounceDomain ?? BOUNCE_DOMAIN,
        },
      },
    ]),
  )
}

function hostOf(origin: string | undefined): string | undefined {
  return origin === undefined ? undefined : new URL(origin).hostname
}

function authConfig(env: Values): AuthConfig | undefined {
  if (!env.AUTH_ISSUER || !env.AUTH_AUDIENCE || !env.AUTH_JWKS_URL) return undefined
  const [serviceClaim, ...serviceValue] = env.AUTH_SERVICE_CLAIM?.split('=') ?? []
  return {
    issuer: env.AUTH_ISSUER,
    audience: env.AUTH_AUDIENCE,
    jwksUrl: new URL(env.AUTH_JWKS_URL),
    clockToleranceInSeconds: env.AUTH_CLOCK_TOLERANCE_SECONDS,
    provider: env.AUTH_PROVIDER,
    claims: {
      client: env.AUTH_CLIENT_CLAIM,
      service: serviceClaim === undefined ? undefined : { name: serviceClaim, value: serviceValue.join('=') },
      scope: env.AUTH_SCOPE_CLAIM,
      scopePrefix: env.AUTH_SCOPE_PREFIX,
      user: env.AUTH_USER_CLAIM,
    },
    users: {
      scope: env.AUTH_USER_SCOPE,
      clients: env.AUTH_USER_CLIENTS,
      maxAgeInSeconds: env.AUTH_USER_TOKEN_MAX_AGE_SECONDS,
      maxLoginAgeInSeconds: env.AUTH_USER_LOGIN_MAX_AGE_SECONDS,
    },
  }
}

function supportConfig(env: Values): SupportConfig | undefined {
  if (env.SUPPORT_ORIGIN === undefined) return undefined
  return {
    origin: env.SUPPORT_ORIGIN,
    issuer: (env.SUPPORT_ISSUER ?? env.AUTH_ISSUER)!,
    clientId: env.SUPPORT_CLIENT_ID!,
    clientSecret: env.SUPPORT_CLIENT_SECRET!,
    scopes: env.SUPPORT_SCOPES,
    roleClaim: env.SUPPORT_ROLE_CLAIM,
    readRole: env.SUPPORT_READ_ROLE,
    writeRole: env.SUPPORT_WRITE_ROLE,
    sessionInSeconds: env.SUPPORT_SESSION_SECONDS,
  }
}

function tracingConfig(env: Values): TracingConfig | undefined {
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

function mailConfig(env: Values): readonly MailConfig[] | undefined {
  if (env.MAIL_TRANSPORT === 'mailbox') return undefined
  const { MAIL_FROM: from, MAIL_REPLY_TO: replyTo } = env
  return env.MAIL_TRANSPORT.split(',').map((transport) =>
    transport === 'smtp'
      ? {
          transport,
          from,
          replyTo,
          url: env.SMTP_URL!,
          ehloName: env.SMTP_EHLO_NAME,
          oauth: smtpOauth(env),
          dkimKeys: (env.DKIM_KEYS ?? []).map((key) => ({ ...key, domain: key.domain ?? domainOf(from) })),
        }
      : {
          transport: 'postmark',
          from,
          replyTo,
          serverToken: env.POSTMARK_SERVER_TOKEN!,
          apiUrl: env.POSTMARK_API_URL,
          messageStream: env.POSTMARK_MESSAGE_STREAM,
        },
  )
}

function bounceConfig(env: Values): BounceConfig | undefined {
  const { BOUNCE_DOMAIN: domain, BOUNCE_INTAKE_HOST: host, BOUNCE_INTAKE_PORT: port } = env
  if (domain === undefined) return undefined
  const brandDomains = [...(env.BRANDS?.values() ?? [])].flatMap(({ bounceDomain }) => bounceDomain ?? [])
  return {
    domain,
    brandDomains: [...new Set(brandDomains)],
    intake: port === undefined ? undefined : { host, port, shared: workersOf(env) > 1 },
  }
}

function webhooksConfig(env: Values): WebhooksConfig {
  const destinations = webhookDestinations(env.NODE_ENV === 'production', env.WEBHOOK_ALLOWED_NETWORKS)
  return { configured: env.WEBHOOKS && parsedWebhooks(env.WEBHOOKS, destinations), destinations }
}

function workersOf({ NODE_ENV, WORKERS }: Values): number {
  return WORKERS ?? (NODE_ENV === 'production' ? availableParallelism() : 1)
}

function smtpOauth(env: Values): SmtpOauthConfig | undefined {
  return env.SMTP_OAUTH_TOKEN_URL === undefined
    ? undefined
    : {
        tokenUrl: env.SMTP_OAUTH_TOKEN_URL,
        clientId: env.SMTP_OAUTH_CLIENT_ID!,
        clientSecret: env.SMTP_OAUTH_CLIENT_SECRET!,
        scope: env.SMTP_OAUTH_SCOPE,
      }
}
