import { generateKeyPairSync } from 'node:crypto'
import { Resolver } from 'node:dns'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { ConfigError, readConfig, readDatabaseLocation } from '../../src/config/read-config.ts'
import { readSettings } from '../../src/config/settings.ts'
import { declarations, FROM_FILES } from '../../src/config/variables.ts'
import { configurationPage, ENV_EXAMPLE, envExample, PAGE } from '../../tools/configuration/documents.ts'
import { newDkimKey, textOf } from '../doubles/dkim-key.ts'

const key = (byte: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 7 + byte) % 256)).toString('base64')
const PRODUCTION = {
  NODE_ENV: 'production',
  HOST: '0.0.0.0',
  PORT: '8080',
  MANAGEMENT_PORT: '9464',
  DATABASE_URL: 'postgresql://countersign:pw@db.bank.example/countersign?sslmode=verify-full',
  AUTH_ISSUER: 'https://login.bank.example',
  AUTH_AUDIENCE: 'countersign',
  AUTH_JWKS_URL: 'https://login.bank.example/jwks.json',
  OTP_KEYS: `k2:${key(2)}, k1:${key(1)}`,
  SIGNING_KEYS: `s1:${key(3)}`,
  MAIL_TRANSPORT: 'postmark',
  MAIL_FROM: 'Bank <no-reply@bank.example>',
  POSTMARK_SERVER_TOKEN: 'token',
  POSTMARK_WEBHOOK_AUTH: 'postmark:correct-horse-battery',
}

const [DKIM_KEY, OTHER_DKIM_KEY] = [newDkimKey('a'), newDkimKey('b')].map((each) => textOf(each).slice(2))
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const ed25519 = privateKey.export({ type: 'pkcs8', format: 'der' })
const publicHalf = publicKey.export({ type: 'spki', format: 'der' })

const KEYCLOAK = {
  USER_DIRECTORY: 'keycloak',
  KEYCLOAK_URL: 'https://login.bank.example',
  KEYCLOAK_REALM: 'bank',
  KEYCLOAK_CLIENT_ID: 'countersign',
  KEYCLOAK_CLIENT_SECRET: 'secret',
}

const SMTP_OAUTH = {
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: 'smtp://no-reply%40bank.example@smtp.office365.com:587',
  SMTP_OAUTH_TOKEN_URL: 'https://login.microsoftonline.com/bank/oauth2/v2.0/token',
  SMTP_OAUTH_CLIENT_ID: 'mailer',
  SMTP_OAUTH_CLIENT_SECRET: 'secret',
  SMTP_OAUTH_SCOPE: 'https://outlook.office365.com/.default',
}

const problemsOf = (env: Record<string, string | undefined>) => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

test('the trail outlives its challenges, for whatever time they are kept: one lives a day, and its approval another', (t) => {
  for (const [RETENTION_DAYS, TRAIL_RETENTION_DAYS, trailInDays] of [
    ['90', '400', 400],
    ['400', '400', 402],
    ['398', '400', 400],
    ['1', '1', 3],
    ['3650', '1', 3652],
  ] as const) {
    t.deepEqual(readConfig({ RETENTION_DAYS, TRAIL_RETENTION_DAYS }).retention, {
      challengesInDays: Number(RETENTION_DAYS),
      trailInDays,
    })
  }
})

test('development needs nothing', (t) => {
  const config = readConfig({})

  t.like(config, { production: false, host: '127.0.0.1', port: 3000, workers: 1, logLevel: 'info' })
  t.is(config.managementPort, 9464)
  t.deepEqual(config.retention, { challengesInDays: 90, trailInDays: 400 })
  t.like(config, {
    databaseUrl: undefined,
    auth: undefined,
    otpKeys: undefined,
    mail: undefined,
  })
  t.deepEqual(config.policy, {
    codeDigits: 6,
    codeLifetimeInSeconds: 300,
    maxAttempts: 5,
    maxIssuances: 5,
    resendCooldownInSeconds: 30,
    challengeLifetimeInSeconds: 900,
    subjectMaxFailures: 5,
    subjectLockInSeconds: 900,
    subjectMaxIssuancesPerHour: 20,
    mailboxMaxIssuancesPerHour: 40,
    addressHoldInSeconds: 0,
    subjectMaxLiveChallenges: 20,
  })
})

test('rows without a seal count until an instant that is at most a week ahead, and otherwise never', (t) => {
  const now = new Date('2030-01-01T12:00:00.000Z')
  const read = (UNSEALED_UNTIL: string) => readConfig({ UNSEALED_UNTIL }, undefined, now).unsealedUntil

  t.is(readConfig({}).unsealedUntil, undefined)
  t.deepEqual(read('2030-01-08T12:00:00Z'), new Date('2030-01-08T12:00:00.000Z'))
  t.deepEqual(read('2030-01-01T13:00:00+02:00'), new Date('2030-01-01T11:00:00.000Z'))
  t.throws(() => read('2030-01-08T12:00:01Z'), { instanceOf: ConfigError, message: /more than a week ahead/ })
  for (const text of ['tomorrow', '2030-01-01', '2030-01-01T12:00:00', '1893456000']) {
    t.throws(() => read(text), { instanceOf: ConfigError, message: /UNSEALED_UNTIL must be an instant/ })
  }
})

test('production takes what it is given, keys in their order', (t) => {
  const config = readConfig(PRODUCTION)

  t.true(config.production)
  t.deepEqual(
    config.otpKeys?.map(({ id }) => id),
    ['k2', 'k1'],
  )
  t.is(config.otpKeys?.[0].bytes.length, 32)
  t.is(config.auth?.jwksUrl.href, PRODUCTION.AUTH_JWKS_URL)
  t.true(config.workers >= 1)
})

test('access tokens are those of RFC 9068, unless their provider or a single claim is named', (t) => {
  const none = {
    client: undefined,
    service: undefined,
    scope: undefined,
    scopePrefix: undefined,
    user: undefined,
  }
  t.like(readConfig(PRODUCTION).auth, { provider: 'generic', clockToleranceInSeconds: 10, claims: none })

  const { auth } = readConfig({
    ...PRODUCTION,
    AUTH_PROVIDER: 'entra',
    AUTH_CLIENT_CLAIM: 'appid',
    AUTH_SERVICE_CLAIM: 'https://bank.example/kind=a=b',
    AUTH_SCOPE_CLAIM: 'scp',
    AUTH_SCOPE_PREFIX: 'countersign/',
    AUTH_USER_CLAIM: 'oid',
    AUTH_CLOCK_TOLERANCE_SECONDS: '60',
  })
  t.like(auth, {
    provider: 'entra',
    clockToleranceInSeconds: 60,
    claims: {
      client: 'appid',
      service: { name: 'https://bank.example/kind', value: 'a=b' },
      scope: 'scp',
      scopePrefix: 'countersign/',
      user: 'oid',
    },
    users: {
      scope: undefined,
      clients: undefined,
      maxAgeInSeconds: undefined,
      maxLoginAgeInSeconds: undefined,
    },
  })
  t.deepEqual(
    readConfig({
      ...PRODUCTION,
      AUTH_USER_SCOPE: 'step-up',
      AUTH_USER_CLIENTS: 'app, web',
      AUTH_USER_TOKEN_MAX_AGE_SECONDS: '300',
      AUTH_USER_LOGIN_MAX_AGE_SECONDS: '3600',
    }).auth?.users,
    { scope: 'step-up', clients: ['app', 'web'], maxAgeInSeconds: 300, maxLoginAgeInSeconds: 3600 },
  )
})

test('the provider of tokens asks for its issuer, and a default as in .env.example does not', (t) => {
  t.deepEqual(
    problemsOf({ AUTH_PROVIDER: 'okta' }).map((problem) => problem.split(' ')[0]),
    ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL'],
  )
  t.is(problemsOf({ AUTH_SCOPE_CLAIM: 'scp' }).length, 3)
  t.is(problemsOf({ AUTH_USER_SCOPE: 'step-up' }).length, 3)
  t.deepEqual(problemsOf({ AUTH_PROVIDER: 'generic', AUTH_CLOCK_TOLERANCE_SECONDS: '10' }), [])
})

test('production without anything names every variable that is missing, all at once', (t) => {
  const problems = problemsOf({ NODE_ENV: 'production' })

  for (const name of Object.keys(PRODUCTION).filter(
    (each) => !['NODE_ENV', 'POSTMARK_SERVER_TOKEN', 'POSTMARK_WEBHOOK_AUTH'].includes(each),
  )) {
    t.true(
      problems.some((problem) => problem.startsWith(`${name} is not set: `)),
      name,
    )
  }
  t.is(problems.length, 11)
})

for (const [what, change, problem] of [
  ['an empty variable', { DATABASE_URL: '' }, /^DATABASE_URL is not set/],
  ['the development mailbox', { MAIL_TRANSPORT: 'mailbox' }, /^MAIL_TRANSPORT is mailbox/],
  [
    'the test token of Postmark',
    { POSTMARK_SERVER_TOKEN: 'POSTMARK_API_TEST' },
    /^POSTMARK_SERVER_TOKEN is the test token/,
  ],
  ['Postmark without its token', { POSTMARK_SERVER_TOKEN: undefined }, /^POSTMARK_SERVER_TOKEN is not set/],
  [
    'Postmark without a way to report',
    { POSTMARK_WEBHOOK_AUTH: undefined },
    /^POSTMARK_WEBHOOK_AUTH is not set/,
  ],
  [
    'a webhook without a user',
    { POSTMARK_WEBHOOK_AUTH: 'correct-horse-battery' },
    /^POSTMARK_WEBHOOK_AUTH must be/,
  ],
  [
    'a webhook with a short password',
    { POSTMARK_WEBHOOK_AUTH: `u:${'p'.repeat(15)}` },
    /^POSTMARK_WEBHOOK_AUTH must be/,
  ],
  ['SMTP without its URL', { MAIL_TRANSPORT: 'smtp' }, /^SMTP_URL is not set/],
  ['SMTP without its URL behind Postmark', { MAIL_TRANSPORT: 'postmark, smtp' }, /^SMTP_URL is not set/],
  [
    'Postmark without its token behind SMTP',
    { MAIL_TRANSPORT: 'smtp,postmark', SMTP_URL: 'smtps://relay.example', POSTMARK_SERVER_TOKEN: undefined },
    /^POSTMARK_SERVER_TOKEN is not set/,
  ],
  ['a transport twice', { MAIL_TRANSPORT: 'postmark,postmark' }, /^MAIL_TRANSPORT must be/],
  [
    'the development mailbox behind Postmark',
    { MAIL_TRANSPORT: 'postmark,mailbox' },
    /^MAIL_TRANSPORT must be/,
  ],
  ['an unknown transport', { MAIL_TRANSPORT: 'postmark,fax' }, /^MAIL_TRANSPORT must be/],
  ['an unknown provider of tokens', { AUTH_PROVIDER: 'azure' }, /^AUTH_PROVIDER must be generic, keycloak/],
  [
    'two claims for the client',
    { AUTH_CLIENT_CLAIM: 'cid azp' },
    /^AUTH_CLIENT_CLAIM must be the name of one/,
  ],
  [
    'a claim of a service without its value',
    { AUTH_SERVICE_CLAIM: 'idtyp' },
    /^AUTH_SERVICE_CLAIM must be name=/,
  ],
  [
    'a claim of a service with an empty value',
    { AUTH_SERVICE_CLAIM: 'idtyp=' },
    /^AUTH_SERVICE_CLAIM must be name=/,
  ],
  ['a value of no claim', { AUTH_SERVICE_CLAIM: '=app' }, /^AUTH_SERVICE_CLAIM must be name=/],
  ['a prefix of scopes with a space', { AUTH_SCOPE_PREFIX: 'a b/' }, /^AUTH_SCOPE_PREFIX must be/],
  [
    'users known by a name that can change',
    { AUTH_USER_CLAIM: 'email' },
    /^AUTH_USER_CLAIM must be a claim that never/,
  ],
  [
    'an address that Keycloak should hold',
    { ...KEYCLOAK, ADDRESS_HOLD_SECONDS: '60' },
    /^ADDRESS_HOLD_SECONDS must be 0 with USER_DIRECTORY=keycloak/,
  ],
  ['two scopes of users', { AUTH_USER_SCOPE: 'step-up openid' }, /^AUTH_USER_SCOPE must be one scope/],
  ['a client of users without a name', { AUTH_USER_CLIENTS: 'app,,web' }, /^AUTH_USER_CLIENTS must be ids/],
  ['tokens of no age', { AUTH_USER_TOKEN_MAX_AGE_SECONDS: '0' }, /^AUTH_USER_TOKEN_MAX_AGE_SECONDS must be/],
  [
    'tokens of more than a day',
    { AUTH_USER_TOKEN_MAX_AGE_SECONDS: '86401' },
    /^AUTH_USER_TOKEN_MAX_AGE_SECONDS must be/,
  ],
  [
    'a login of more than a year',
    { AUTH_USER_LOGIN_MAX_AGE_SECONDS: '31536001' },
    /^AUTH_USER_LOGIN_MAX_AGE_SECONDS must be/,
  ],
  [
    'more than a minute between the clocks',
    { AUTH_CLOCK_TOLERANCE_SECONDS: '61' },
    /^AUTH_CLOCK_TOLERANCE_SECONDS must be/,
  ],
  [
    'a negative time between the clocks',
    { AUTH_CLOCK_TOLERANCE_SECONDS: '-1' },
    /^AUTH_CLOCK_TOLERANCE_SECONDS must be/,
  ],
  ['Keycloak without its realm', { ...KEYCLOAK, KEYCLOAK_REALM: '' }, /^KEYCLOAK_REALM is not set/],
  [
    'Keycloak in plain text',
    { ...KEYCLOAK, KEYCLOAK_URL: 'http://login.bank.example' },
    /^KEYCLOAK_URL must be an https/,
  ],
  [
    'a password in the URL of Keycloak',
    { ...KEYCLOAK, KEYCLOAK_URL: 'https://a:b@login.bank.example' },
    /^KEYCLOAK_URL must not hold/,
  ],
  [
    'a database of another kind',
    { DATABASE_URL: 'mysql://db.bank.example/x' },
    /^DATABASE_URL must be a URL/,
  ],
  [
    'keys fetched in plain text',
    { AUTH_JWKS_URL: 'http://login.bank.example/jwks' },
    /^AUTH_JWKS_URL must be an https/,
  ],
  [
    'a short key',
    { OTP_KEYS: `k1:${Buffer.from('short').toString('base64')}` },
    /^OTP_KEYS key k1 must be at least 32 bytes/,
  ],
  [
    'a key of zeros',
    { OTP_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` },
    /^OTP_KEYS key k1 is not random/,
  ],
  ['a key without a kid', { OTP_KEYS: key(1) }, /^OTP_KEYS must be kid:base64/],
  ['two keys of one kid', { OTP_KEYS: `k1:${key(1)},k1:${key(2)}` }, /^OTP_KEYS has two keys of one kid/],
  [
    'one key under two kids',
    { OTP_KEYS: `k1:${key(1)},k2:${key(1)}` },
    /^OTP_KEYS has one key under two kids/,
  ],
  [
    'a signing key of 33 bytes',
    {
      SIGNING_KEYS: `s1:${Buffer.from(`${key(1)}`)
        .subarray(0, 33)
        .toString('base64')}`,
    },
    /^SIGNING_KEYS key s1 must be exactly 32/,
  ],
  [
    'one key for codes and signatures',
    { SIGNING_KEYS: `s2:${key(3)},s1:${key(1)}` },
    /^OTP_KEYS and SIGNING_KEYS share the key k1: make a key for each purpose/,
  ],
  ...[
    'postgresql://u:secret@db.bank.example/c',
    'postgresql://u:secret@db.bank.example/c?sslmode=disable',
    'postgresql://u:secret@10.0.0.7/c?sslmode=no-verify',
    'postgresql://u:secret@db.bank.example/c?uselibpqcompat=true&sslmode=require',
    'postgresql://u:secret@127.0.0.1/c?host=db.bank.example',
    'postgresql://u:secret@[2001:db8::1]/c',
  ].map(
    (DATABASE_URL) =>
      [
        `the database ${DATABASE_URL}`,
        { DATABASE_URL },
        /^DATABASE_URL leads to another machine without TLS that checks the certificate: add sslmode=verify-full .* DATABASE_TLS=unverified/,
      ] as const,
  ),
  [
    'a word about TLS that nobody knows',
    { DATABASE_TLS: 'off' },
    /^DATABASE_TLS must be verified or unverified/,
  ],
  [
    'a process that checks no certificate',
    { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    /^NODE_TLS_REJECT_UNAUTHORIZED is 0, so no certificate .* NODE_EXTRA_CA_CERTS$/,
  ],
  ['a port that is none', { PORT: '65536' }, /^PORT must be a whole number from 0 to 65535/],
  ['a port in words', { PORT: 'http' }, /^PORT must be a whole number/],
  ['metrics without a port of their own', { MANAGEMENT_PORT: '' }, /^MANAGEMENT_PORT is not set/],
  ['a proxy that is a name', { TRUSTED_PROXIES: 'nginx' }, /^TRUSTED_PROXIES must be addresses or subnets/],
  [
    'every client as a proxy',
    { TRUSTED_PROXIES: '0.0.0.0/0' },
    /^TRUSTED_PROXIES must be addresses or subnets/,
  ],
  [
    'a subnet of 33 bits',
    { TRUSTED_PROXIES: '10.0.0.0/33' },
    /^TRUSTED_PROXIES must be addresses or subnets/,
  ],
  [
    'half a list of proxies',
    { TRUSTED_PROXIES: '10.0.0.1,' },
    /^TRUSTED_PROXIES must be addresses or subnets/,
  ],
  ['documentation in between', { DOCS: 'maybe' }, /^DOCS must be on or off/],
  ['codes of five digits', { OTP_DIGITS: '5' }, /^OTP_DIGITS must be a whole number from 6 to 8/],
  [
    'codes that live eleven minutes',
    { OTP_LIFETIME_SECONDS: '660' },
    /^OTP_LIFETIME_SECONDS must be a whole number from 1 to 600/,
  ],
  [
    'a retention of no days',
    { RETENTION_DAYS: '0' },
    /^RETENTION_DAYS must be a whole number from 1 to 3650/,
  ],
  ['an unknown environment', { NODE_ENV: 'prod' }, /^NODE_ENV must be/],
  ['a sender of two lines', { MAIL_FROM: 'a@b.example\r\nBcc: c@d.example' }, /^MAIL_FROM must be one line/],
  ['two senders', { MAIL_FROM: 'a@b.example, c@d.example' }, /^MAIL_FROM must be one line with one mailbox/],
  ['a sender without an address', { MAIL_FROM: 'Bank' }, /^MAIL_FROM must be one line with one mailbox/],
  [
    'a sender that is not ASCII',
    { MAIL_FROM: 'Bank <büro@bank.example>' },
    /^MAIL_FROM .* before the @ in ASCII$/,
  ],
  [
    'a sender at no domain',
    { MAIL_FROM: 'Bank <a@℀.example>' },
    /^MAIL_FROM must be one line with one mailbox/,
  ],
  ['two lines of answers', { MAIL_REPLY_TO: 'a@b.example\nX: y' }, /^MAIL_REPLY_TO must be one line/],
  ...[
    'pod-7d9f',
    'my_host.bank.example',
    '10.0.0.7',
    '[10.0.0.700]',
    'a b.example',
    'bank.example\r\nRSET',
    '-a.example',
  ].map(
    (name) =>
      [
        `EHLO ${JSON.stringify(name)}`,
        { SMTP_EHLO_NAME: name },
        /^SMTP_EHLO_NAME must be a full domain name/,
      ] as const,
  ),
  ...[
    ['without a selector', DKIM_KEY],
    ['with a selector that is no label', `mail_2026:${DKIM_KEY}`],
    ['with nothing behind its selector', 'mail2026:'],
  ].map(
    ([what, DKIM_KEYS]) =>
      [`a key for DKIM ${what}`, { DKIM_KEYS }, /^DKIM_KEYS must be selector:base64/] as const,
  ),
  ...[
    ['that is none', Buffer.from('no key').toString('base64')],
    ['of another kind', ed25519.toString('base64')],
    ['that is public', publicHalf.toString('base64')],
  ].map(
    ([what, key]) =>
      [
        `a key for DKIM ${what}`,
        { DKIM_KEYS: `a:${key}` },
        /^DKIM_KEYS key a must be a private RSA key/,
      ] as const,
  ),
  [
    'a key for DKIM that receivers count as none',
    { DKIM_KEYS: textOf(newDkimKey('a', 1024)) },
    /^DKIM_KEYS key a must have 2048 to 4096 bits/,
  ],
  [
    'two keys for DKIM of one selector',
    { DKIM_KEYS: `a:${DKIM_KEY},A:${OTHER_DKIM_KEY}` },
    /two keys of one selector/,
  ],
  [
    'one key for DKIM under two selectors',
    { DKIM_KEYS: `a:${DKIM_KEY},b:${DKIM_KEY}` },
    /one key under two selectors/,
  ],
  ...[
    'ns.bank.example',
    '192.0.2.53:0',
    '192.0.2.53:65536',
    '2001:db8::53:',
    '[192.0.2.53',
    '192.0.2.53,',
    'a:53',
  ].map(
    (DNS_SERVERS) =>
      [
        `a name server ${DNS_SERVERS}`,
        { DNS_SERVERS },
        /^DNS_SERVERS must be the addresses of name servers/,
      ] as const,
  ),
  [
    'a token endpoint in the clear',
    { ...SMTP_OAUTH, SMTP_OAUTH_TOKEN_URL: 'http://login.example/token' },
    /^SMTP_OAUTH_TOKEN_URL must be an https:\/\/ URL/,
  ],
  [
    'a token without the secret of its client',
    { ...SMTP_OAUTH, SMTP_OAUTH_CLIENT_SECRET: undefined },
    /^SMTP_OAUTH_CLIENT_SECRET is not set/,
  ],
  [
    'a scope with a line feed',
    { ...SMTP_OAUTH, SMTP_OAUTH_SCOPE: 'a\nb' },
    /^SMTP_OAUTH_SCOPE must be scopes/,
  ],
  [
    'a token and a password',
    { ...SMTP_OAUTH, SMTP_URL: 'smtp://bank:secret@relay.example' },
    /^SMTP_URL must have the mailbox as user and no password/,
  ],
  [
    'a token for nobody',
    { ...SMTP_OAUTH, SMTP_URL: 'smtp://relay.example' },
    /^SMTP_URL must have the mailbox as user and no password/,
  ],
] as const) {
  test(`production refuses ${what}, and says so in one line`, (t) => {
    const problems = problemsOf({ ...PRODUCTION, ...change })

    t.is(problems.length, 1, problems.join('\n'))
    t.regex(problems[0]!, problem)
  })
}

test('the domain of a sender becomes A-labels, and its name stays', (t) => {
  const { mail } = readConfig({
    ...PRODUCTION,
    MAIL_FROM: '"Bücher, @ home" <no-reply@Bücher.example>',
    MAIL_REPLY_TO: 'help@bücher.example',
  })

  t.like(mail?.[0], {
    from: '"Bücher, @ home" <no-reply@xn--bcher-kva.example>',
    replyTo: 'help@xn--bcher-kva.example',
  })
})

test('a service that signs its mails has keys for DKIM, the first of which signs', (t) => {
  const { mail } = readConfig({
    ...PRODUCTION,
    ...SMTP_OAUTH,
    DKIM_KEYS: `a.b:${DKIM_KEY}, B2:${OTHER_DKIM_KEY}`,
  })
  const [smtp] = mail ?? []
  t.deepEqual(smtp?.transport === 'smtp' && smtp.dkimKeys?.map(({ id }) => id), ['a.b', 'B2'])
})

test('name servers are addresses, with a port or without', (t) => {
  const DNS_SERVERS = '192.0.2.53, 192.0.2.53:5353, 2001:db8::53, [2001:db8::53]:5353'
  const { nameServers } = readConfig({ ...PRODUCTION, DNS_SERVERS })
  t.deepEqual(nameServers, ['192.0.2.53', '192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]:5353'])
  t.notThrows(() => new Resolver().setServers(nameServers!))
  t.is(readConfig(PRODUCTION).nameServers, undefined)
})

const SMTP = { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://relay.bank.example:587' }

test('notices of bounces are taken for a domain, on a port that all workers share', (t) => {
  const bounces = (env: Record<string, string>) => readConfig({ ...PRODUCTION, ...SMTP, ...env }).bounces
  const BOUNCE_DOMAIN = 'Bounces.Bücher.example'
  const domain = 'bounces.xn--bcher-kva.example'

  t.is(bounces({}), undefined)
  t.deepEqual(bounces({ BOUNCE_DOMAIN }), { domain, brandDomains: [], intake: undefined })
  t.deepEqual(bounces({ BOUNCE_DOMAIN, BOUNCE_INTAKE_PORT: '2525', WORKERS: '1' }), {
    domain,
    brandDomains: [],
    intake: { host: '127.0.0.1', port: 2525, shared: false },
  })
  t.deepEqual(
    bounces({ BOUNCE_DOMAIN, BOUNCE_INTAKE_PORT: '25', BOUNCE_INTAKE_HOST: '10.0.0.1', WORKERS: '2' }),
    { domain, brandDomains: [], intake: { host: '10.0.0.1', port: 25, shared: true } },
  )
})

for (const [env, problem] of [
  [{ ...SMTP, BOUNCE_INTAKE_PORT: '2525' }, /^BOUNCE_DOMAIN is not set/],
  [{ ...SMTP, BOUNCE_DOMAIN: 'bounces' }, /^BOUNCE_DOMAIN must be a full domain name/],
  [{ ...SMTP, BOUNCE_DOMAIN: 'bounces.bank.example\r\nRSET' }, /^BOUNCE_DOMAIN must be a full domain name/],
  [{ ...SMTP, BOUNCE_DOMAIN: `${'d.'.repeat(97)}example` }, /^BOUNCE_DOMAIN must be a full domain name/],
  [{ ...SMTP, BOUNCE_DOMAIN: 'b.bank.example', BOUNCE_INTAKE_PORT: '65536' }, /^BOUNCE_INTAKE_PORT must be/],
  [{ BOUNCE_DOMAIN: 'b.bank.example' }, /^BOUNCE_DOMAIN is for mails over SMTP/],
] as const) {
  test(`a process does not start with ${JSON.stringify(env).slice(0, 100)}`, (t) => {
    const problems = problemsOf({ ...PRODUCTION, ...env })

    t.is(problems.length, 1)
    t.regex(problems[0]!, problem)
  })
}

test('an SMTP relay may want a name and a token', (t) => {
  const { mail } = readConfig({ ...PRODUCTION, ...SMTP_OAUTH, SMTP_EHLO_NAME: 'countersign.bücher.example' })

  t.like(mail?.[0], {
    transport: 'smtp',
    ehloName: 'countersign.xn--bcher-kva.example',
    oauth: {
      tokenUrl: SMTP_OAUTH.SMTP_OAUTH_TOKEN_URL,
      clientId: 'mailer',
      clientSecret: 'secret',
      scope: 'https://outlook.office365.com/.default',
    },
  })
  for (const name of ['[192.0.2.1]', '[IPv6:2001:db8::1]', 'mail-1.bank.example']) {
    t.like(readConfig({ ...PRODUCTION, ...SMTP_OAUTH, SMTP_EHLO_NAME: name }).mail?.[0], { ehloName: name })
  }
})

for (const [value, order] of [
  ['postmark', ['postmark']],
  ['smtp', ['smtp']],
  ['postmark,smtp', ['postmark', 'smtp']],
  ['smtp, postmark', ['smtp', 'postmark']],
] as const) {
  test(`mails go over ${value}, in that order`, (t) => {
    const { mail } = readConfig({ ...PRODUCTION, MAIL_TRANSPORT: value, SMTP_URL: 'smtps://relay.example' })

    t.deepEqual(
      mail?.map(({ transport }) => transport),
      order,
    )
    t.true(mail?.every(({ from }) => from === PRODUCTION.MAIL_FROM))
  })
}

test('a mail has a brand, a zone, and where they are set a logo and the host of the app', (t) => {
  const brand = { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined }
  t.deepEqual(readConfig({}).letter, { brand, timeZone: 'UTC', appHost: undefined })

  const { letter } = readConfig({
    BRAND_NAME: 'Fjord & Bank',
    BRAND_COLOR: '#F2b705',
    BRAND_LOGO_URL: 'https://bank.example/logo.png?v=2',
    MAIL_TIME_ZONE: 'Europe/Berlin',
    APP_ORIGIN: 'https://app.bank.example:8443',
  })
  t.deepEqual(letter, {
    brand: { name: 'Fjord & Bank', color: '#F2b705', logoUrl: 'https://bank.example/logo.png?v=2' },
    timeZone: 'Europe/Berlin',
    appHost: 'app.bank.example',
  })
  t.is(readConfig({ APP_ORIGIN: 'http://localhost:5173' }).letter.appHost, 'localhost')
})

test('mails have a link only with the address of its page, and a process serves that page only if told to', (t) => {
  const REPORT_URL = 'https://www.bank.example/not-me/'
  const url = 'https://www.bank.example/not-me'

  t.is(readConfig({}).report, undefined)
  t.deepEqual(readConfig({ REPORT_URL }).report, { url, page: false })
  t.deepEqual(readConfig({ REPORT_URL, REPORT_PAGE: 'on' }).report, { url, page: true })
  t.is(readConfig({ REPORT_URL: 'http://localhost:3000/report' }).report?.url, 'http://localhost:3000/report')
  t.regex(problemsOf({ REPORT_PAGE: 'on' }).join(), /^REPORT_URL is not set: /)
})

test('production mails no link over plain HTTP, not even to this machine', (t) => {
  const problems = problemsOf({ ...PRODUCTION, REPORT_URL: 'http://localhost/not-me' })

  t.is(problems.length, 1)
  t.regex(problems[0]!, /^REPORT_URL must be an https:\/\/ URL in production/)
  t.deepEqual(problemsOf({ ...PRODUCTION, REPORT_URL: 'https://www.bank.example/not-me' }), [])
})

for (const [name, value] of [
  ['BRAND_NAME', 'two\nlines'],
  ['BRAND_NAME', 'turned \u202Eround'],
  ['BRAND_NAME', 'x'.repeat(61)],
  ['BRAND_COLOR', 'teal'],
  ['BRAND_COLOR', '#abcde'],
  ['BRAND_COLOR', '#0f4c5c;x'],
  ['BRAND_LOGO_URL', 'http://bank.example/logo.png'],
  ['BRAND_LOGO_URL', 'data:image/png;base64,AAAA'],
  ['BRAND_LOGO_URL', 'https://user:password@bank.example/logo.png'],
  ['REPORT_URL', 'http://www.bank.example/not-me'],
  ['REPORT_URL', 'www.bank.example'],
  ['REPORT_URL', 'https://user@www.bank.example/not-me'],
  ['REPORT_URL', 'https://www.bank.example/not-me?a=b'],
  ['REPORT_URL', 'https://www.bank.example/not-me#a'],
  ['REPORT_URL', `https://www.bank.example/${'x'.repeat(200)}`],
  ['REPORT_URL', 'https://bücher.example/not-me'],
  ['REPORT_PAGE', 'yes'],
  ['MAIL_TIME_ZONE', 'Europe/Atlantis'],
  ['MAIL_TIME_ZONE', '+01:00'],
  ['APP_ORIGIN', 'app.bank.example'],
  ['APP_ORIGIN', 'http://app.bank.example'],
  ['APP_ORIGIN', 'http://localhost.bank.example'],
  ['APP_ORIGIN', 'https://app.bank.example/login'],
  ['APP_ORIGIN', 'https://user@app.bank.example'],
  ['APP_ORIGIN', 'ftp://localhost'],
] as const) {
  test(`${name} refuses ${JSON.stringify(value)}, in development too`, (t) => {
    const problems = problemsOf({ [name]: value })

    t.is(problems.length, 1)
    t.regex(problems[0]!, new RegExp(`^${name} must `))
    t.false(problems[0]!.includes(value))
  })
}

test('half an issuer is no issuer, in development either', (t) => {
  t.deepEqual(
    problemsOf({ AUTH_ISSUER: 'https://login.bank.example' }).map((problem) => problem.split(' ')[0]),
    ['AUTH_AUDIENCE', 'AUTH_JWKS_URL'],
  )
})

const SUPPORT = {
  SUPPORT_ORIGIN: 'https://support.bank.example',
  SUPPORT_CLIENT_ID: 'support-desk',
  SUPPORT_CLIENT_SECRET: 'secret',
}

test('there is no support desk unless it is configured, and it signs in at the issuer of the tokens unless it has its own', (t) => {
  t.is(readConfig(PRODUCTION).support, undefined)
  t.is(readConfig({ SUPPORT_ROLE_CLAIM: 'roles', SUPPORT_SESSION_SECONDS: '3600' }).support, undefined)
  t.deepEqual(readConfig({ ...PRODUCTION, ...SUPPORT }).support, {
    origin: 'https://support.bank.example',
    issuer: 'https://login.bank.example',
    clientId: 'support-desk',
    clientSecret: 'secret',
    scopes: 'openid profile',
    roleClaim: 'roles',
    readRole: 'mfa:support:read',
    writeRole: 'mfa:support:write',
    sessionInSeconds: 3600,
  })
  const own = readConfig({ ...PRODUCTION, ...SUPPORT, SUPPORT_ISSUER: 'https://staff.bank.example' })
  t.is(own.support?.issuer, 'https://staff.bank.example')
})

test('half a support desk is refused, in development too', (t) => {
  const names = ['SUPPORT_ORIGIN', 'SUPPORT_CLIENT_ID', 'SUPPORT_CLIENT_SECRET'] as const
  for (const missing of names) {
    const problems = problemsOf({ ...PRODUCTION, ...SUPPORT, [missing]: undefined })
    t.true(problems.length === 1 && problems[0]!.startsWith(`${missing} is not set`), problems.join())
  }
  for (const change of [{ SUPPORT_ISSUER: 'http://127.0.0.1:1' }, { SUPPORT_ROLE_CLAIM: 'groups' }]) {
    const problems = problemsOf(change).join()
    for (const name of names) t.true(problems.includes(`${name} is not set`), name)
  }
  t.true(
    problemsOf({ ...SUPPORT, SUPPORT_ORIGIN: 'http://127.0.0.1:1' })[0]?.startsWith(
      'SUPPORT_ISSUER is not set',
    ),
  )
})

for (const [change, problem] of [
  [{ SUPPORT_ORIGIN: 'http://support.bank.example' }, 'SUPPORT_ORIGIN must be an https:// URL'],
  [{ SUPPORT_ORIGIN: 'https://support.bank.example/' }, 'SUPPORT_ORIGIN must be an origin'],
  [{ SUPPORT_ORIGIN: 'https://support.bank.example/desk' }, 'SUPPORT_ORIGIN must be an origin'],
  [{ SUPPORT_ISSUER: 'http://login.bank.example' }, 'SUPPORT_ISSUER must be an https:// URL'],
  [{ SUPPORT_ISSUER: 'https://a:b@login.bank.example' }, 'SUPPORT_ISSUER must not hold a user'],
  [{ AUTH_ISSUER: 'countersign' }, 'SUPPORT_ISSUER is not set, and AUTH_ISSUER is no https:// URL'],
  [{ SUPPORT_SCOPES: 'profile' }, 'SUPPORT_SCOPES must have the scope openid'],
  [{ SUPPORT_SCOPES: 'openid  profile' }, 'SUPPORT_SCOPES must be scopes'],
  [{ SUPPORT_ROLE_CLAIM: 'two words' }, 'SUPPORT_ROLE_CLAIM must be'],
  [{ SUPPORT_READ_ROLE: 'two words' }, 'SUPPORT_READ_ROLE must be'],
  [
    { SUPPORT_READ_ROLE: 'x', SUPPORT_WRITE_ROLE: 'x' },
    'SUPPORT_READ_ROLE and SUPPORT_WRITE_ROLE are the same',
  ],
  [{ SUPPORT_WRITE_ROLE: 'mfa:support:read' }, 'SUPPORT_READ_ROLE and SUPPORT_WRITE_ROLE are the same'],
  [{ SUPPORT_SESSION_SECONDS: '28801' }, 'SUPPORT_SESSION_SECONDS must be a whole number from 60 to 28800'],
  [{ SUPPORT_SESSION_SECONDS: '59' }, 'SUPPORT_SESSION_SECONDS must be a whole number from 60 to 28800'],
] as const) {
  test(`a support desk with ${Object.entries(change).join(' and ')} is refused`, (t) => {
    const problems = problemsOf({ ...PRODUCTION, ...SUPPORT, ...change })
    t.true(problems.length === 1 && problems[0]!.startsWith(problem), problems.join())
  })
}

test('traces go where the endpoint says, with the path of OTLP below its own', (t) => {
  const tracing = (env: Record<string, string>) => readConfig(env).tracing

  t.is(tracing({ OTEL_SERVICE_NAME: 'bank' }), undefined)
  t.deepEqual(tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }), {
    endpoint: new URL('http://collector:4318/v1/traces'),
    headers: {},
    serviceName: 'countersign',
    sampledShare: 1,
  })
  t.deepEqual(
    tracing({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.bank.example/otlp/',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b%2Cc=, x=1',
      OTEL_SERVICE_NAME: 'bank',
      OTEL_TRACES_SAMPLER_ARG: '0.05',
    }),
    {
      endpoint: new URL('https://collector.bank.example/otlp/v1/traces'),
      headers: { 'api-key': 'a b,c=', x: '1' },
      serviceName: 'bank',
      sampledShare: 0.05,
    },
  )
})

for (const [name, value] of [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://secret@collector.bank.example'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'secret'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'key=secret,'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'key=secret%0A'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'key=secret%'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_TRACES_SAMPLER_ARG', 'secret'],
] as const) {
  test(`${name} is not ${value}`, (t) => {
    const problems = problemsOf({ [name]: value })

    t.is(problems.length, 1)
    t.regex(problems[0]!, new RegExp(`^${name} must`))
    t.false(problems[0]!.includes('secret'))
  })
}

test('a credential of the collector leaves this machine over https only', (t) => {
  const withHeaders = (endpoint: string) =>
    problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret' })

  t.regex(withHeaders('http://collector:4318')[0] ?? '', /^OTEL_EXPORTER_OTLP_ENDPOINT must be an https:/)
  t.deepEqual(withHeaders('https://collector:4318'), [])
  t.deepEqual(withHeaders('http://127.0.0.1:4318'), [])
})

test('no problem repeats a value, which may be a secret', (t) => {
  const message = (() => {
    try {
      readConfig({
        ...PRODUCTION,
        OTP_KEYS: 'k1:c2VjcmV0',
        DATABASE_URL: 'secret',
        POSTMARK_API_URL: 'secret',
      })
    } catch (error) {
      return String(error)
    }
    return 'secret'
  })()

  t.false(/secret|c2VjcmV0/.test(message))
})

/** Reads files that are only named, as a pure reader does. */
const filesOf = (files: Readonly<Record<string, string>>) => (path: string) => {
  const text = files[path]
  if (text === undefined) throw new Error('it does not exist')
  return text
}

test('a secret comes from the file that is named in its place, without the line feed at its end', (t) => {
  const { DATABASE_URL, OTP_KEYS, POSTMARK_SERVER_TOKEN: _, ...rest } = PRODUCTION
  const files = { '/a': `${DATABASE_URL}\n`, '/b': `${OTP_KEYS}\r\n`, '/c': 'token of a file' }
  const env = { ...rest, DATABASE_URL_FILE: '/a', OTP_KEYS_FILE: '/b', POSTMARK_SERVER_TOKEN_FILE: '/c' }

  const config = readConfig(env, filesOf(files))

  t.is(config.databaseUrl, DATABASE_URL)
  t.deepEqual(config.otpKeys, readConfig(PRODUCTION).otpKeys)
  t.like(config.mail?.[0], { serverToken: 'token of a file' })
})

for (const name of FROM_FILES) {
  test(`${name} may come from a file, and not from both`, (t) => {
    const both = problemsOf({ [name]: 'x', [`${name}_FILE`]: '/x' })
    t.true(both.includes(`${name} and ${name}_FILE are both set: keep one of them`))

    const unreadable = problemsOf({ [`${name}_FILE`]: '/secret' })
    t.deepEqual(unreadable, [`${name}_FILE names a file that cannot be used: nothing reads files here`])
  })
}

test('a file that is missing or empty is one problem by name, without its path, also where the secret is required', (t) => {
  const { OTP_KEYS: _, SIGNING_KEYS: __, ...rest } = PRODUCTION
  const env = { ...rest, OTP_KEYS_FILE: '/run/secret', SIGNING_KEYS_FILE: '/run/empty' }

  const error = t.throws(() => readConfig(env, filesOf({ '/run/empty': '\n' })), { instanceOf: ConfigError })

  t.deepEqual(error?.problems, [
    'OTP_KEYS_FILE names a file that cannot be used: it does not exist',
    'SIGNING_KEYS_FILE names a file that cannot be used: it is empty',
  ])
})

test('what a file holds is checked like what a variable holds, and an empty name of a file counts as unset', (t) => {
  const read = filesOf({ '/keys': 'k1:c2VjcmV0\n' })
  const error = t.throws(() => readConfig({ OTP_KEYS_FILE: '/keys' }, read), { instanceOf: ConfigError })
  t.deepEqual(error?.problems, ['OTP_KEYS key k1 must be at least 32 bytes: openssl rand -base64 32'])

  t.deepEqual(readConfig({ OTP_KEYS_FILE: '' }, read), readConfig({}))
})

test('who applies migrations needs the database and no other secret', (t) => {
  const { DATABASE_URL } = PRODUCTION
  t.is(readDatabaseLocation({ NODE_ENV: 'production', DATABASE_URL }).databaseUrl, DATABASE_URL)

  const error = t.throws(() => readDatabaseLocation({ NODE_ENV: 'production' }), { instanceOf: ConfigError })
  t.is(error?.problems.length, 1)
  t.regex(error?.problems[0] ?? '', /^DATABASE_URL is not set: postgresql:/)
  t.throws(() => readDatabaseLocation({ NODE_ENV: 'prod' }), { instanceOf: ConfigError })
})

test('the settings in force say where each comes from, and of secrets no more than the ids of keys', (t) => {
  const { SIGNING_KEYS, ...rest } = PRODUCTION
  const env = { ...rest, SIGNING_KEYS_FILE: '/keys', WORKERS: '3' }
  const settings = readSettings(env, filesOf({ '/keys': SIGNING_KEYS }))
  const of = (wanted: string) => settings.find(({ name }) => name === wanted)

  t.like(of('HOST'), { value: '0.0.0.0', source: 'environment' })
  t.like(of('OTP_DIGITS'), { value: '6', source: 'default' })
  t.like(of('WORKERS'), { value: '3', source: 'environment' })
  t.like(of('SMTP_URL'), { value: undefined, source: 'default' })
  t.like(of('OTP_KEYS'), { value: 'withheld, by kid: k2, k1', source: 'environment' })
  t.like(of('SIGNING_KEYS'), { value: 'withheld, by kid: s1', source: 'file' })
  const text = JSON.stringify(settings)
  for (const secret of ['pw@', 'token"', 'correct-horse', key(1), key(2), key(3)])
    t.false(text.includes(secret))
  t.deepEqual(
    settings.map(({ name }) => name),
    declarations.map(([name]) => name),
  )
})

test('the example lists every variable, with the values that development has without it', (t) => {
  const example = readFileSync(ENV_EXAMPLE, 'utf8')
  const env = Object.fromEntries(
    [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value!.replaceAll('"', '')]),
  )

  t.deepEqual(
    Object.keys(env),
    declarations.map(([name]) => name),
  )
  t.deepEqual(readConfig(env), readConfig({}))
  const [, fromFiles] = /^# These may come from files[^:]*: ([A-Z_, \n#]+)\./m.exec(example) ?? []
  t.deepEqual(fromFiles?.split(/[,\s#]+/), FROM_FILES)
})

test('.env.example is what npm run config:docs writes', (t) => {
  t.is(readFileSync(ENV_EXAMPLE, 'utf8'), envExample())
})

test('docs/configuration.md has the variables as they are documented in the code', (t) => {
  const page = readFileSync(PAGE, 'utf8')

  t.is(page, configurationPage())
  t.is(page.split('## Bounds')[0]?.match(/^\| `/gm)?.length, declarations.length)
  const defaults = new Map(readSettings({}).map(({ name, value }) => [name, value]))
  for (const [, name, value] of page.matchAll(/^\| `([A-Z_]+)`.*\| (?:`(.*)`|–) \| [^|]*\|$/gm)) {
    t.is(value, name === 'WORKERS' ? undefined : defaults.get(name!), name)
  }
})

test('what is documented as required in production is what production asks for', (t) => {
  const asked = problemsOf({ NODE_ENV: 'production' }).map((problem) => problem.split(' ')[0]!)
  const documented = [
    ...readFileSync(PAGE, 'utf8').matchAll(/^\| `([A-Z_]+)`.*\| in production(?! with)[^|]*\|$/gm),
  ]

  t.deepEqual(documented.map(([, name]) => name).toSorted(), asked.toSorted())
})
