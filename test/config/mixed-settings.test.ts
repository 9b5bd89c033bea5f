import test from 'ava'
import { ConfigError, readConfig, readDatabaseLocation } from '../../src/config/read-config.ts'
import { production } from '../journeys/command.ts'

const REMOTE = 'postgresql://u:secret@db.bank.example/c?sslmode=verify-full'
const LOCAL = 'postgresql://u:secret@127.0.0.1/c'

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  const error = (() => {
    try {
      readConfig(env)
      return undefined
    } catch (caught) {
      return caught
    }
  })()
  if (error === undefined) return []
  if (error instanceof ConfigError) return error.problems
  throw error
}

const KEYCLOAK = {
  USER_DIRECTORY: 'keycloak',
  KEYCLOAK_REALM: 'bank',
  KEYCLOAK_CLIENT_ID: 'countersign',
  KEYCLOAK_CLIENT_SECRET: 'secret',
}
const ISSUER = { AUTH_ISSUER: 'https://login.bank.example', AUTH_AUDIENCE: 'countersign' }
const DESK = {
  SUPPORT_ORIGIN: 'http://127.0.0.1:9464',
  SUPPORT_CLIENT_ID: 'desk',
  SUPPORT_CLIENT_SECRET: 'secret',
}
const OAUTH = { SMTP_OAUTH_CLIENT_ID: 'mailer', SMTP_OAUTH_CLIENT_SECRET: 'secret' }
const POSTMARK = { MAIL_TRANSPORT: 'postmark', POSTMARK_SERVER_TOKEN: 'token' }

/** What leads off this machine, and the variable that does. */
const OUTSIDE: readonly (readonly [variable: string, env: Readonly<Record<string, string>>])[] = [
  ['HOST', { HOST: '0.0.0.0' }],
  ['HOST', { HOST: '::' }],
  ['MANAGEMENT_HOST', { MANAGEMENT_HOST: '0.0.0.0' }],
  ['HOST', { HOST: '192.0.2.1' }],
  ['HOST', { HOST: '::ffff:192.0.2.1' }],
  ['HOST', { HOST: 'countersign.bank.example' }],
  ['HOST', { HOST: 'localhost.bank.example' }],
  [
    'BOUNCE_INTAKE_HOST',
    {
      ...{ BOUNCE_INTAKE_HOST: '0.0.0.0', BOUNCE_INTAKE_PORT: '2525', BOUNCE_DOMAIN: 'bounces.bank.example' },
      ...{ MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://127.0.0.1:25' },
    },
  ],
  ['DATABASE_URL', { DATABASE_URL: REMOTE }],
  ['DATABASE_URL', { DATABASE_URL: 'postgresql://u@127.0.0.1/c?host=db.bank.example&sslmode=verify-full' }],
  ['AUTH_JWKS_URL', { ...ISSUER, AUTH_JWKS_URL: 'https://login.bank.example/jwks.json' }],
  ['KEYCLOAK_URL', { ...KEYCLOAK, KEYCLOAK_URL: 'https://login.bank.example' }],
  ['SUPPORT_ISSUER', { ...DESK, SUPPORT_ISSUER: 'https://login.bank.example' }],
  ['AUTH_ISSUER', { ...ISSUER, ...DESK, AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks.json' }],
  ['SMTP_URL', { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtps://relay.bank.example' }],
  [
    'SMTP_OAUTH_TOKEN_URL',
    {
      ...OAUTH,
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: 'smtp://bank@127.0.0.1:25',
      SMTP_OAUTH_TOKEN_URL: 'https://login.bank.example/token',
    },
  ],
  ['MAIL_TRANSPORT', POSTMARK],
  ['POSTMARK_API_URL', { ...POSTMARK, POSTMARK_API_URL: 'https://postmark.bank.example' }],
]

for (const [variable, env] of OUTSIDE) {
  for (const NODE_ENV of ['', 'development', 'test']) {
    const value = env[variable] ?? 'postmark'
    test(`${variable} ${value} is refused with NODE_ENV "${NODE_ENV}", in one line that says the way out`, (t) => {
      const [problem, ...others] = problemsOf({ ...env, NODE_ENV })

      t.deepEqual(others, [])
      t.true(
        problem?.startsWith(`${variable} leads off this machine, but NODE_ENV is not production`),
        problem,
      )
      t.regex(problem ?? '', /: set NODE_ENV=production and what it then asks for, or keep /)
      t.false(problem?.includes(value))
    })
  }
}

test('one line names everything that leads off this machine, and every stand-in', (t) => {
  t.deepEqual(problemsOf({ HOST: '0.0.0.0', DATABASE_URL: REMOTE }), [
    'HOST and DATABASE_URL lead off this machine, but NODE_ENV is not production, where stand-ins that anybody can use replace AUTH_ISSUER, OTP_KEYS, SIGNING_KEYS and MAIL_TRANSPORT: set NODE_ENV=production and what it then asks for, or keep HOST and DATABASE_URL on this machine',
  ])
})

test('a complete configuration whose NODE_ENV was forgotten is refused as well', (t) => {
  const { NODE_ENV: _, ...env } = { ...production(REMOTE), HOST: '0.0.0.0' }

  const [problem, ...others] = problemsOf(env)

  t.deepEqual(others, [])
  t.regex(problem ?? '', /^HOST and DATABASE_URL lead off this machine, but NODE_ENV is not production: set/)
  t.deepEqual(problemsOf({ ...env, NODE_ENV: 'production' }), [])
})

test('on this machine development may mix as it likes', (t) => {
  for (const env of [
    {},
    { HOST: '127.0.0.1' },
    { HOST: '::1' },
    { HOST: 'localhost' },
    { HOST: '127.8.9.10', WORKERS: '4' },
    { DATABASE_URL: LOCAL },
    { DATABASE_URL: 'postgresql://u@%2Fvar%2Frun%2Fpostgresql/c' },
    { DATABASE_URL: 'postgresql:///c?host=/var/run/postgresql' },
    { ...ISSUER, AUTH_JWKS_URL: 'http://127.0.0.1:8080/jwks.json' },
    { ...KEYCLOAK, KEYCLOAK_URL: 'http://[::1]:8080' },
    { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://localhost:1025' },
    { ...POSTMARK, POSTMARK_API_URL: 'http://127.0.0.1:8080' },
    // What is not in use leads nowhere.
    { SMTP_URL: 'smtps://relay.bank.example', KEYCLOAK_URL: 'https://login.bank.example' },
  ]) {
    t.deepEqual(problemsOf(env), [], JSON.stringify(env))
  }
})

test('migrations need no NODE_ENV, and TLS to a database elsewhere whatever NODE_ENV is', (t) => {
  t.is(readDatabaseLocation({ DATABASE_URL: REMOTE }).databaseUrl, REMOTE)

  const plain = 'postgresql://u:secret@db.bank.example/c'
  for (const NODE_ENV of ['', 'production']) {
    const error = t.throws(() => readDatabaseLocation({ NODE_ENV, DATABASE_URL: plain }), {
      instanceOf: ConfigError,
    })
    t.regex(error?.message ?? '', /DATABASE_URL leads to another machine without TLS/)
    t.false(error?.message.includes('secret'))
  }
  t.is(readDatabaseLocation({ DATABASE_URL: plain, DATABASE_TLS: 'unverified' }).databaseUrl, plain)
  t.is(readDatabaseLocation({ DATABASE_URL: plain, PGSSLMODE: 'verify-full' }).databaseUrl, plain)
})

test('production connects without verified TLS only where nobody is in between, or where an operator says so', (t) => {
  const env = production('postgresql://u:secret@db.bank.example/c')
  t.is(problemsOf(env).length, 1)
  t.deepEqual(problemsOf({ ...env, DATABASE_TLS: 'unverified' }), [])

  for (const url of [LOCAL, 'postgresql://u@localhost/c', 'postgresql://u@%2Frun%2Fpostgresql/c', REMOTE]) {
    t.deepEqual(problemsOf(production(url)), [], url)
  }
})
