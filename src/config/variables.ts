import { z } from 'zod'
import { brandColor, brandLogo, brandName, brands } from './brands.ts'
import { databasePeer } from './database-peer.ts'
import type { Environment } from './environment.ts'
import {
  appOrigin,
  bounceDomain,
  claimAndValue,
  claimName,
  clients,
  dkimKeys,
  ehloName,
  instant,
  integer,
  keys,
  mailbox,
  mailTransports,
  nameServers,
  pageUrl,
  pairs,
  roleName,
  secureOrigin,
  secureUrl,
  signInScopes,
  subnets,
  timeZone,
  url,
  userClaim,
  webhooks,
  withoutUserInfo,
} from './formats.ts'

/*
 * Every variable, declared once. `readConfig` checks the environment against this table, and `npm run config:docs` writes
 * docs/configuration.md and .env.example from it.
 */

/** When a variable must be set, or has an effect. */
interface Condition {
  /** Completes "required …" in the documentation, and "has an effect only …" in a warning. */
  readonly words: string
  holds(environment: Environment): boolean
}

interface Declared {
  /** Checks the text of the variable and returns its value. The default is for development. */
  readonly schema: z.ZodType
  /** The explanation for an operator, in Markdown. */
  readonly meaning: string
  /** A secret may come from a file as well, and no listing shows it. */
  readonly secret?: true
  /** Too long for the environment of some platforms, so it may come from a file as well. */
  readonly inFile?: true
  /** When the variable has an effect. Undefined: always. */
  readonly usedIf?: Condition
}

interface Optional {
  readonly required?: never
  readonly example?: never
}

interface Required {
  /** The variable must be set when one of these holds. */
  readonly required: readonly [Condition, ...Condition[]]
  /** What to set it to. Ends "PORT is not set: …". */
  readonly example: string
}

export type Variable = Declared & (Optional | Required)

/** `.env.example` has these texts, so they say nothing about an issuer. */
const AUTH_DEFAULTS: Environment = { AUTH_PROVIDER: 'generic', AUTH_CLOCK_TOLERANCE_SECONDS: '10' }

/** The same for the support desk. */
const SUPPORT_DEFAULTS: Environment = {
  SUPPORT_SCOPES: 'openid profile',
  SUPPORT_ROLE_CLAIM: 'roles',
  SUPPORT_READ_ROLE: 'mfa:support:read',
  SUPPORT_WRITE_ROLE: 'mfa:support:write',
  SUPPORT_SESSION_SECONDS: '3600',
}

const inProduction: Condition = {
  words: 'in production',
  holds: ({ NODE_ENV }) => NODE_ENV === 'production',
}
const withAnIssuer: Condition = {
  words: 'with another `AUTH_` variable',
  holds: (environment) =>
    Object.entries(environment).some(
      ([name, value]) => name.startsWith('AUTH_') && value && value !== AUTH_DEFAULTS[name],
    ),
}
const withKeycloak: Condition = {
  words: 'with `USER_DIRECTORY=keycloak`',
  holds: ({ USER_DIRECTORY }) => USER_DIRECTORY === 'keycloak',
}
const withTransport = (transport: string): Condition => ({
  words: `with \`${transport}\` in \`MAIL_TRANSPORT\``,
  holds: ({ MAIL_TRANSPORT }) => MAIL_TRANSPORT?.split(/[, ]+/).includes(transport) ?? false,
})
const withSmtpOauth: Condition = {
  words: 'with another `SMTP_OAUTH_` variable',
  holds: ({ SMTP_OAUTH_TOKEN_URL, SMTP_OAUTH_CLIENT_ID, SMTP_OAUTH_CLIENT_SECRET, SMTP_OAUTH_SCOPE }) =>
    Boolean(SMTP_OAUTH_TOKEN_URL || SMTP_OAUTH_CLIENT_ID || SMTP_OAUTH_CLIENT_SECRET || SMTP_OAUTH_SCOPE),
}
const withIntake: Condition = {
  words: 'with `BOUNCE_INTAKE_PORT`',
  holds: ({ BOUNCE_INTAKE_PORT }) => Boolean(BOUNCE_INTAKE_PORT),
}
const withReportPage: Condition = {
  words: 'with `REPORT_PAGE=on`',
  holds: ({ REPORT_PAGE }) => REPORT_PAGE === 'on',
}
const withSupport: Condition = {
  words: 'with another `SUPPORT_` variable',
  holds: (environment) =>
    Object.entries(environment).some(
      ([name, value]) =>
        // The content of a file counts, under the name of its variable.
        name.startsWith('SUPPORT_') && !name.endsWith('_FILE') && value && value !== SUPPORT_DEFAULTS[name],
    ),
}
const withSupportOfAnotherIssuer: Condition = {
  words: `${withSupport.words} and without \`AUTH_ISSUER\``,
  holds: (environment) => withSupport.holds(environment) && !environment.AUTH_ISSUER,
}
const withSmtp = withTransport('smtp')
const withPostmark = withTransport('postmark')
const withCollector: Condition = {
  words: 'with `OTEL_EXPORTER_OTLP_ENDPOINT`',
  holds: ({ OTEL_EXPORTER_OTLP_ENDPOINT }) => Boolean(OTEL_EXPORTER_OTLP_ENDPOINT),
}
const outsideProduction: Condition = {
  words: 'outside production',
  holds: (environment) => !inProduction.holds(environment),
}
const withUnverifiedDatabase: Condition = {
  words: 'with a database on another machine, without TLS that checks its certificate',
  holds: (environment) => {
    const peer = databasePeer(environment.DATABASE_URL ?? '', environment)
    return peer?.remote === true && !peer.verified
  },
}
const withPostmarkInProduction: Condition = {
  words: `in production ${withPostmark.words}`,
  holds: (environment) => inProduction.holds(environment) && withPostmark.holds(environment),
}

/** In the order of the documentation. */
export const VARIABLES = {
  NODE_ENV: {
    schema: z
      .enum(['development', 'test', 'production'], 'must be development, test or production')
      .default('development'),
    meaning:
      '`development`, `test` or `production`. Production does not start on a development stand-in. Without production, nothing may lead off this machine.',
  },
  HOST: {
    schema: z.string().default('127.0.0.1'),
    meaning:
      'Address to listen on; `0.0.0.0` for every one. Without production it must be one of this machine only.',
    required: [inProduction],
    example: 'the address to listen on, 0.0.0.0 for every one',
  },
  PORT: {
    schema: integer(0, 65_535).default(3000),
    meaning: 'Port to listen on; `0` for any free one.',
    required: [inProduction],
    example: 'the port to listen on',
  },
  MANAGEMENT_PORT: {
    schema: integer(0, 65_535).default(9464),
    meaning:
      'Port of `/metrics` on `MANAGEMENT_HOST`, and of `/support` if there is a support desk. `/metrics` has no authentication: keep the port inside your network. Each process on a machine needs its own.',
    required: [inProduction],
    example: 'the port of /metrics, closed to the outside',
  },
  MANAGEMENT_HOST: {
    schema: z.string().default('127.0.0.1'),
    meaning:
      'Address for `MANAGEMENT_PORT`: this machine only, unless you set another one, such as that of the network of your Prometheus.',
  },
  TRUSTED_PROXIES: {
    schema: subnets.optional(),
    meaning:
      'Addresses and subnets of the proxies in front, as in `10.0.0.10, 10.1.0.0/16`. From these alone the service believes `X-Forwarded-For`, and the audit trail then has the address of the client. Unset: it has the other end of the connection.',
  },
  DOCS: {
    schema: z.enum(['on', 'off'], 'must be on or off').default('on'),
    meaning: 'Whether `/docs` and `/openapi.json` exist. Both are the same in every installation.',
  },
  DATA_DIR: {
    schema: z.string().default('.data'),
    meaning: 'Folder of a development set-up: its database, keys and mailbox.',
    usedIf: outsideProduction,
  },
  DATABASE_URL: {
    schema: url(['postgresql:', 'postgres:']).optional(),
    meaning: 'PostgreSQL, as `postgresql://user:password@host:5432/database`. Unset: an embedded one.',
    required: [inProduction],
    example: 'postgresql://user:password@host:5432/database',
    secret: true,
  },
  DATABASE_TLS: {
    schema: z.enum(['verified', 'unverified'], 'must be verified or unverified').default('verified'),
    meaning:
      'A database on another machine needs TLS with a checked certificate (`verified`): add `sslmode=verify-full` to `DATABASE_URL`, and `sslrootcert=<file>` for a private authority. `unverified` connects without: only for a network on which nobody else can listen or answer.',
    usedIf: withUnverifiedDatabase,
  },
  DATABASE_SHARDING: {
    schema: z.enum(['none', 'citus'], 'must be none or citus').default('none'),
    meaning:
      '`citus`: the tables are spread over several servers with Citus, as `deploy/citus` does it. `DATABASE_URL` then leads to the coordinator.',
  },
  AUTH_ISSUER: {
    schema: z.string().optional(),
    meaning: 'The `iss` of the access tokens to accept. Unset: a built-in issuer.',
    required: [inProduction, withAnIssuer],
    example: 'the `iss` of the access tokens to accept',
  },
  AUTH_AUDIENCE: {
    schema: z.string().optional(),
    meaning: 'The `aud` that names this service in access tokens.',
    required: [inProduction, withAnIssuer],
    example: 'the `aud` that names this service in access tokens',
  },
  AUTH_JWKS_URL: {
    schema: secureUrl.optional(),
    meaning: 'Where the issuer publishes its keys (JWK Set); `https://`, unless on this machine.',
    required: [inProduction, withAnIssuer],
    example: "the URL of the token issuer's JWK Set",
  },
  AUTH_PROVIDER: {
    schema: z
      .enum(
        ['generic', 'keycloak', 'auth0', 'okta', 'entra', 'cognito'],
        'must be generic, keycloak, auth0, okta, entra or cognito',
      )
      .default('generic'),
    meaning:
      'How the issuer writes its tokens: `keycloak`, `auth0`, `okta`, `entra`, `cognito`, or `generic` (RFC 9068). The variables from `AUTH_CLIENT_CLAIM` to `AUTH_USER_CLAIM` replace single settings of it.',
  },
  AUTH_CLIENT_CLAIM: {
    schema: claimName.optional(),
    meaning: 'The claim with the id of the client, as in `client_id`. Unset: as `AUTH_PROVIDER` has it.',
  },
  AUTH_SERVICE_CLAIM: {
    schema: claimAndValue.optional(),
    meaning:
      'The claim and value that only a token of a service has, as in `idtyp=app`. No token of a user may ever have it. Unset: as `AUTH_PROVIDER` has it.',
  },
  AUTH_SCOPE_CLAIM: {
    schema: claimName.optional(),
    meaning:
      'The claim with the scopes, as one text or as a list; as in `scp`. Unset: as `AUTH_PROVIDER` has it.',
  },
  AUTH_SCOPE_PREFIX: {
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible characters')
      .optional(),
    meaning:
      'What the issuer writes in front of each scope, as in `countersign/`. Scopes without it do not count. Unset: as `AUTH_PROVIDER` has it.',
  },
  AUTH_USER_CLAIM: {
    schema: userClaim.optional(),
    meaning:
      'The claim with the id of a user, as in `sub`. Operation services name users by the same id. Unset: as `AUTH_PROVIDER` has it.',
  },
  AUTH_USER_SCOPE: {
    schema: z
      .string()
      .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/, 'must be one scope, without blanks')
      .optional(),
    meaning:
      'A scope that each token of a user must have, without `AUTH_SCOPE_PREFIX`, as in `step-up`. Without it the answer is 403. Unset: none.',
  },
  AUTH_USER_CLIENTS: {
    schema: clients.optional(),
    meaning:
      'The clients whose tokens of users count, joined by commas: the apps in which your users step up. Other tokens of users get 403. Unset: every client of the issuer.',
  },
  AUTH_USER_TOKEN_MAX_AGE_SECONDS: {
    schema: integer(1, 86_400).optional(),
    meaning:
      'How long ago a token of a user may have been issued (`iat`), at most 86400. An older one gets 401. Unset: as long as it lasts.',
  },
  AUTH_USER_LOGIN_MAX_AGE_SECONDS: {
    schema: integer(1, 31_536_000).optional(),
    meaning:
      'How long ago a user may have logged in (`auth_time`), at most a year. After that, or without the claim, the answer is 401. Unset: any time.',
  },
  AUTH_CLOCK_TOLERANCE_SECONDS: {
    schema: integer(0, 60).default(10),
    meaning: 'How far the clocks of issuer and service may differ, at most 60.',
  },
  OTP_KEYS: {
    schema: keys((length) => length >= 32, 'at least 32 bytes').optional(),
    meaning:
      'Keys that codes and seals are derived from, as `kid:base64` of 32 random bytes or more, joined by commas. The first is active, the others still verify. Unset: generated once.',
    required: [inProduction],
    example: 'kid:base64 of 32 random bytes, as in k1:$(openssl rand -base64 32)',
    secret: true,
  },
  SIGNING_KEYS: {
    schema: keys((length) => length === 32, 'exactly 32 bytes, an Ed25519 seed').optional(),
    meaning:
      'Keys that sign challenges and authorisations (Ed25519), as `kid:base64` of 32 random bytes, joined by commas. The first is active, the others still verify. Unset: generated once.',
    required: [inProduction],
    example: 'kid:base64 of 32 random bytes, as in s1:$(openssl rand -base64 32)',
    secret: true,
  },
  UNSEALED_UNTIL: {
    schema: instant.optional(),
    meaning:
      'For a rolling update from a version without seals: until when rows without a seal count, as in `2030-01-31T18:00:00Z`. At most a week ahead. Unset: they never count.',
  },
  USER_DIRECTORY: {
    schema: z.enum(['database', 'keycloak'], 'must be database or keycloak').default('database'),
    meaning:
      'Where the users are: `database` (the routes and imports of this service put them there) or `keycloak`.',
  },
  KEYCLOAK_URL: {
    schema: secureUrl.refine(withoutUserInfo, 'must not hold a user or password').optional(),
    meaning: 'Keycloak up to, and without, `/realms` or `/admin`; `https://`, unless on this machine.',
    required: [withKeycloak],
    example: 'https://login.bank.example, the part before /realms or /admin',
    usedIf: withKeycloak,
  },
  KEYCLOAK_REALM: {
    schema: z.string().optional(),
    meaning: 'The realm of the users.',
    required: [withKeycloak],
    example: 'the realm of the users',
    usedIf: withKeycloak,
  },
  KEYCLOAK_CLIENT_ID: {
    schema: z.string().optional(),
    meaning: 'A client with a service account that has the role `view-users`.',
    required: [withKeycloak],
    example: 'a client with a service account that has the role view-users',
    usedIf: withKeycloak,
  },
  KEYCLOAK_CLIENT_SECRET: {
    schema: z.string().optional(),
    meaning: 'The secret of that client.',
    required: [withKeycloak],
    example: 'the secret of that client',
    secret: true,
    usedIf: withKeycloak,
  },
  MAIL_TRANSPORT: {
    schema: mailTransports.default('mailbox'),
    meaning:
      '`mailbox` (development), `smtp`, `postmark`, or the last two with a comma. The second gets the mails that the first does not take.',
    required: [inProduction],
    example: 'postmark, smtp, or both as in postmark,smtp',
  },
  MAIL_FROM: {
    schema: mailbox.default('Countersign <no-reply@localhost>'),
    meaning:
      'The sender, as in `Countersign <no-reply@bank.example>`. The domain may be in any script; mails carry its A-labels.',
    required: [inProduction],
    example: 'the sender, as in Countersign <no-reply@bank.example>',
  },
  MAIL_REPLY_TO: {
    schema: mailbox.optional(),
    meaning:
      'Who gets the answers to mails, as in `Bank <help@bank.example>`. Unset: the sender, which mostly nobody reads.',
  },
  MAIL_TIME_ZONE: {
    schema: timeZone.default('UTC'),
    meaning: 'The time zone of times in mails, as in `Europe/Berlin` (IANA).',
  },
  BRAND_NAME: {
    schema: brandName.default('Countersign'),
    meaning: 'The name that the mails carry: one line, at most 60 characters.',
  },
  BRAND_COLOR: {
    schema: brandColor.default('#0f4c5c'),
    meaning: 'The colour of the mails, as in `#0f4c5c`.',
  },
  BRAND_LOGO_URL: {
    schema: brandLogo.optional(),
    meaning: 'An `https://` picture that replaces the name on the colour. Unset: the name.',
  },
  BRANDS: {
    schema: brands.optional(),
    meaning:
      'The brands of clients, as a JSON object by client id, as in `{"payments-b":{"name":"Fjord","color":"#7a1f2b"}}`. [mail.md](mail.md#a-brand-for-each-client) has the members. Other clients have the brand of the variables above.',
    inFile: true,
  },
  APP_ORIGIN: {
    schema: appOrigin.optional(),
    meaning:
      'Where users type codes in, as in `https://app.bank.example`. Browsers then offer a code on this origin only.',
  },
  REPORT_URL: {
    schema: pageUrl.optional(),
    meaning:
      'Where users report that it was not they, as in `https://www.bank.example/not-me`: mails with a code and mails about a lock then have a link there, with a token of their own at its end ([mail.md](mail.md#it-was-not-me)). Unset: no link.',
    required: [withReportPage],
    example: 'the address at which users reach the page, as in https://www.bank.example/not-me',
  },
  REPORT_PAGE: {
    schema: z.enum(['on', 'off'], 'must be on or off').default('off'),
    meaning:
      'Whether this process serves the page of `REPORT_URL`, at `/report/…`. `off` on a process that only mails, or that the internet does not reach.',
  },
  SMTP_URL: {
    schema: url(['smtp:', 'smtps:']).optional(),
    meaning: '`smtp://user:password@host:587` or `smtps://user:password@host:465`, percent-encoded.',
    required: [withSmtp],
    usedIf: withSmtp,
    example: 'smtp://user:password@host:587 or smtps://…:465',
    secret: true,
  },
  SMTP_EHLO_NAME: {
    schema: ehloName.optional(),
    meaning:
      'The name of this service in `EHLO`, as in `countersign.bank.example`. Strict relays look it up. Unset: the name of the machine if it has a domain, or the domain of `MAIL_FROM`.',
    usedIf: withSmtp,
  },
  DKIM_KEYS: {
    schema: dkimKeys.optional(),
    meaning:
      'Keys that sign mails for the domain of `MAIL_FROM` (DKIM, RSA), as `selector:base64` of PKCS #8 in DER, joined by commas. `selector@domain:base64` is a key for another sender in `BRANDS`. The first one of a domain signs; `doctor` checks that the domain publishes all. Only with `smtp`. Unset: the relay signs.',
    secret: true,
    usedIf: withSmtp,
  },
  DNS_SERVERS: {
    schema: nameServers.optional(),
    meaning:
      'The name servers that `doctor` asks for the records of the sender, as in `192.0.2.53` or `[2001:db8::53]:5353`, joined by commas. Unset: those of this machine.',
  },
  BOUNCE_DOMAIN: {
    schema: bounceDomain.optional(),
    meaning:
      'The domain of the envelope senders of mails with a code, as in `bounces.bank.example`. Each mail has an address of its own there, to which mail systems send their notices. Its mail must go to `BOUNCE_INTAKE_PORT` ([mail.md](mail.md#notices-of-bounces)). Unset: notices go to `MAIL_FROM`, and the service learns nothing of them.',
    required: [withIntake],
    example: 'the domain that notices of bounces are sent to',
  },
  BOUNCE_INTAKE_PORT: {
    schema: integer(0, 65_535).optional(),
    meaning:
      'Port on which this process takes the notices of mail systems, over SMTP; `0` for any free one. All workers share it. Unset: it takes none.',
  },
  BOUNCE_INTAKE_HOST: {
    schema: z.string().default('127.0.0.1'),
    meaning:
      'Address on which to take them. A notice may hold a code, and the way is not encrypted: keep it on the machine of the relay, or in a network of your own.',
  },
  SMTP_OAUTH_TOKEN_URL: {
    schema: secureUrl.refine(withoutUserInfo, 'must not hold a user or password').optional(),
    meaning:
      'The token endpoint for a login by access token (XOAUTH2, client credentials); `https://`, unless on this machine. `SMTP_URL` then has the mailbox as user, and no password. Unset: the password in `SMTP_URL`.',
    required: [withSmtpOauth],
    example: 'https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token, or that of another server',
    usedIf: withSmtp,
  },
  SMTP_OAUTH_CLIENT_ID: {
    schema: z.string().optional(),
    meaning: 'The client that gets the token.',
    required: [withSmtpOauth],
    example: 'the client that gets the token',
    usedIf: withSmtp,
  },
  SMTP_OAUTH_CLIENT_SECRET: {
    schema: z.string().optional(),
    meaning: 'The secret of that client.',
    required: [withSmtpOauth],
    example: 'the secret of that client',
    secret: true,
    usedIf: withSmtp,
  },
  SMTP_OAUTH_SCOPE: {
    schema: z
      .string()
      .regex(
        /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
        'must be scopes, separated by single blanks',
      )
      .optional(),
    meaning:
      'The scope of the token. At Microsoft: `https://outlook.office365.com/.default`. Unset: none is sent.',
    usedIf: withSmtp,
  },
  POSTMARK_SERVER_TOKEN: {
    schema: z.string().optional(),
    meaning: 'The API token of the Postmark server.',
    required: [withPostmark],
    example: 'the API token of your Postmark server',
    secret: true,
    usedIf: withPostmark,
  },
  POSTMARK_API_URL: {
    schema: secureUrl.default('https://api.postmarkapp.com'),
    meaning: "Postmark's API; `https://`, unless on this machine.",
    usedIf: withPostmark,
  },
  POSTMARK_MESSAGE_STREAM: {
    schema: z.string().default('outbound'),
    meaning:
      'The message stream of the codes. A stream of their own keeps complaints about other mails away from them.',
    usedIf: withPostmark,
  },
  POSTMARK_WEBHOOK_AUTH: {
    schema: z
      .string()
      .regex(/^[^:\p{Cc}]+:[^\p{Cc}]{16,}$/u, 'must be user:password, the password of 16 characters or more')
      .optional(),
    meaning:
      '`user:password` that Postmark sends to `/webhooks/postmark`; the password has 16 characters or more. At Postmark, enter it in the URL of the webhook for Delivery, Bounce, SpamComplaint and SubscriptionChange, without the content of mails. Unset: the route does not exist.',
    required: [withPostmarkInProduction],
    example: 'user:password of your choice for https://…/webhooks/postmark',
    secret: true,
  },
  SUPPORT_ORIGIN: {
    schema: secureOrigin.optional(),
    meaning:
      'The origin at which the browsers of support agents reach `/support` on the management port, as in `https://support.bank.example`; `https://`, unless on this machine. Register it at the issuer with the path `/support/callback`. Unset, with all the `SUPPORT_` variables: there is no support desk ([operations.md](operations.md#the-support-desk)).',
    required: [withSupport],
    example: 'the origin of the support desk, as in https://support.bank.example',
  },
  SUPPORT_ISSUER: {
    schema: secureUrl.refine(withoutUserInfo, 'must not hold a user or password').optional(),
    meaning:
      'The OpenID Connect issuer at which support agents sign in; `https://`, unless on this machine. Unset: `AUTH_ISSUER`.',
    required: [withSupportOfAnotherIssuer],
    example: 'the OpenID Connect issuer at which support agents sign in',
  },
  SUPPORT_CLIENT_ID: {
    schema: z.string().optional(),
    meaning: 'The client of the support desk at that issuer.',
    required: [withSupport],
    example: 'the client of the support desk at its issuer',
  },
  SUPPORT_CLIENT_SECRET: {
    schema: z.string().optional(),
    meaning: 'The secret of that client.',
    required: [withSupport],
    example: 'the secret of that client',
    secret: true,
  },
  SUPPORT_SCOPES: {
    schema: signInScopes.default('openid profile'),
    meaning:
      'The scopes that the sign-in asks for, separated by single blanks. `openid` is one of them. Some issuers put roles into the ID token only for a further one.',
  },
  SUPPORT_ROLE_CLAIM: {
    schema: claimName.default('roles'),
    meaning:
      'The claim of the ID token with the roles of the agent, as one text or as a list. Dots lead into claims within claims, as in `realm_access.roles`.',
  },
  SUPPORT_READ_ROLE: {
    schema: roleName.default('mfa:support:read'),
    meaning: 'The role of agents who may find and read.',
  },
  SUPPORT_WRITE_ROLE: {
    schema: roleName.default('mfa:support:write'),
    meaning: 'The role of agents who may also unlock a user and lift a suppression. It includes reading.',
  },
  SUPPORT_SESSION_SECONDS: {
    schema: integer(60, 28_800).default(3600),
    meaning:
      'How long a sign-in lasts, 60 to 28800. It ends earlier after 15 minutes without a page. Roles count as they were at the sign-in.',
  },
  WEBHOOKS: {
    schema: webhooks.optional(),
    meaning:
      'Where services get the events of their challenges, as JSON by client id: `{"payments": "https://payments.bank.example/events", "payees": null}`. With `null` a service reads its events with a cursor. A service cannot change what is here. Each start removes what an earlier value had. Unset: it removes nothing.',
    secret: true,
  },
  WEBHOOK_ALLOWED_NETWORKS: {
    schema: subnets.optional(),
    meaning:
      'Private addresses and subnets to which events may be sent, as in `10.1.0.0/16, fd00:1::/32`, also over plain HTTP. Without it, events go to public addresses over TLS alone. Outside production they stay on this machine.',
    usedIf: inProduction,
  },
  OTP_DIGITS: { schema: integer(6, 8).default(6), meaning: 'Digits of a code, 6 to 8.' },
  OTP_LIFETIME_SECONDS: {
    schema: integer(1, 600).default(300),
    meaning: 'How long a code lives, at most 600.',
  },
  OTP_MAX_ATTEMPTS: {
    schema: integer(1, 10).default(5),
    meaning: 'Wrong codes allowed per challenge, 1 to 10.',
  },
  OTP_MAX_ISSUANCES: {
    schema: integer(1, 100).default(5),
    meaning: 'Codes allowed per challenge, 1 to 100.',
  },
  OTP_RESEND_COOLDOWN_SECONDS: {
    schema: integer(0, 3600).default(30),
    meaning:
      'Time between the first two codes of a challenge, at most 3600. Each further code waits twice as long, up to the lifetime of a code.',
  },
  CHALLENGE_LIFETIME_SECONDS: {
    schema: integer(1, 86_400).default(900),
    meaning: 'How long a challenge lives when its operation service does not say, at most 86400.',
  },
  SUBJECT_MAX_FAILURES: {
    schema: integer(1, 100).default(5),
    meaning: 'Wrong codes in a row that lock a subject, counted over all its challenges; 1 to 100.',
  },
  SUBJECT_LOCK_SECONDS: {
    schema: integer(1, 86_400).default(900),
    meaning: 'Length of the first lock, at most 86400. Each further one doubles, up to a day.',
  },
  SUBJECT_MAX_ISSUANCES: {
    schema: integer(1, 1000).default(20),
    meaning: 'Codes allowed per subject in any hour, 1 to 1000.',
  },
  SUBJECT_MAX_CHALLENGES: {
    schema: integer(1, 1000).default(20),
    meaning:
      'Live challenges allowed per subject and client, 1 to 1000. A further one gets 429 until one of them ends.',
  },
  MAILBOX_MAX_ISSUANCES: {
    schema: integer(1, 1000).default(40),
    meaning:
      'Codes allowed to one mailbox in any hour, over all subjects that have its address; 1 to 1000. The first code of a subject in an hour has half as many places more. The case of an address does not count.',
  },
  ADDRESS_HOLD_SECONDS: {
    schema: integer(0, 2_592_000).default(0),
    meaning:
      'How long an address gets no codes after it replaced another one, or after the entry of its user was erased; at most 30 days. Only with `USER_DIRECTORY=database`: Keycloak does not say when an address changed.',
  },
  RETENTION_DAYS: {
    schema: integer(1, 3650).default(90),
    meaning:
      'How long an expired challenge is kept, with its issuances: everything that has an address or the text of an operation; 1 to 3650.',
  },
  TRAIL_RETENTION_DAYS: {
    schema: integer(1, 3650).default(400),
    meaning:
      'How long the audit trail is kept, which outlives its challenges; 1 to 3650. Thirteen months are at most 397 days (PSD2 art. 71). Two days more than `RETENTION_DAYS` count instead if that is longer, so that no event goes before its challenge. So does a longer minimum that the owner of the tables has set.',
  },
  WORKERS: {
    schema: integer(1, 256).optional(),
    meaning: 'Processes that serve. Unset: one in development, one per core in production.',
  },
  LOG_LEVEL: {
    schema: z
      .enum(
        ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
        'must be a level of pino: fatal … trace, or silent',
      )
      .default('info'),
    meaning: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: url(['https:', 'http:'])
      .refine(withoutUserInfo, 'must not hold a user or password: OTEL_EXPORTER_OTLP_HEADERS may')
      .optional(),
    meaning:
      'An OpenTelemetry collector that takes traces by OTLP over HTTP, as in `http://127.0.0.1:4318`; the service adds `/v1/traces`. Unset: no traces.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: pairs.optional(),
    meaning:
      'Headers for the collector, as `name=value,name=value`, percent-encoded. They mostly hold a credential.',
    secret: true,
    usedIf: withCollector,
  },
  OTEL_SERVICE_NAME: {
    schema: z.string().default('countersign'),
    meaning: 'The name of this service in its traces.',
    usedIf: withCollector,
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z
      .string()
      .regex(/^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/, 'must be a share from 0 to 1, as in 0.05')
      .default('1'),
    meaning:
      'Share of the requests to trace, from `0` to `1`. A request that belongs to a trace already follows the decision of that trace.',
    usedIf: withCollector,
  },
} as const satisfies Readonly<Record<string, Variable>>

export type VariableName = keyof typeof VARIABLES

/** The values of all variables, checked. */
export type Values = { readonly [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']> }

/** Every variable with its name. */
export const declarations = Object.entries(VARIABLES) as [VariableName, Variable][]

/** The variables that `<NAME>_FILE` can replace with a file. Container platforms mount secrets as files. */
export const FROM_FILES = declarations
  .filter(([, { secret, inFile }]) => secret || inFile)
  .map(([name]) => name)
