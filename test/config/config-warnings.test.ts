import test from 'ava'
import { readWarnings } from '../../src/config/config-warnings.ts'
import { declarations, FROM_FILES } from '../../src/config/variables.ts'
import { production } from '../journeys/command.ts'

const named = (env: Readonly<Record<string, string>>) => readWarnings(env).map(({ variable }) => variable)
const remedyOf = (name: string) => readWarnings({ [name]: 'secret' })[0]?.remedy ?? ''

for (const [typo, meant] of [
  ['OTP_KEY', 'OTP_KEYS'],
  ['OPT_KEYS', 'OTP_KEYS'],
  ['otp_keys', 'OTP_KEYS'],
  ['SIGNING_KEY', 'SIGNING_KEYS'],
  ['OTP_KEY_FILE', 'OTP_KEYS_FILE'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DATABASEURL', 'DATABASE_URL'],
  ['NODE_EVN', 'NODE_ENV'],
  ['PROT', 'PORT'],
  ['APP_KEYS', undefined],
  ['COST', undefined],
  ['NODEENV', 'NODE_ENV'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['WORKER', 'WORKERS'],
  ['OTEL_EXPORTER_OTLP_ENDPIONT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  ['SUBJECT_LOCK_SECOND', 'SUBJECT_LOCK_SECONDS'],
] as const) {
  test(`${typo} is ${meant ? `pointed to ${meant}` : 'left alone'}`, (t) => {
    if (meant) t.true(remedyOf(typo).startsWith(`Set ${meant}, `), remedyOf(typo))
    else t.deepEqual(named({ [typo]: 'x' }), [])
  })
}

test('a variable with the first word of ours that nothing uses has a warning, without its value', (t) => {
  for (const name of [
    'SMTP_PROT',
    'SMTP_HOST',
    'OTP_ALGORITHM',
    'KEYCLOAK_USER',
    'AUTH_TOKEN',
    'MAIL_SENDER',
  ]) {
    const [warning, ...others] = readWarnings({ [name]: 'the-secret' })

    t.deepEqual(others, [])
    t.is(warning?.variable, name)
    t.is(warning?.found, 'is a variable that nothing uses')
    t.false(JSON.stringify(warning).includes('the-secret'))
  }
})

test('a file for what is no secret has a warning that says so', (t) => {
  t.is(
    remedyOf('MAIL_FROM_FILE'),
    'Set MAIL_FROM itself: docs/configuration.md marks what may come from a file',
  )
  t.is(remedyOf('HOST_FILE'), '')
})

test('the variables of other programs and of Kubernetes are theirs', (t) => {
  t.deepEqual(
    named({
      ...{
        PATH: '/bin',
        HOME: '/root',
        HOSTNAME: 'pod-1',
        PWD: '/',
        SHELL: '/bin/sh',
        TERM: 'x',
        MAIL: '/var/mail',
      },
      ...{
        NODE_OPTIONS: '',
        NODE_EXTRA_CA_CERTS: '/ca',
        NODE_VERSION: '24',
        USER: 'me',
        LOGNAME: 'me',
        HOSTS: 'x',
      },
      ...{
        APP_VERSION: '1',
        LOG_DIR: '/var/log',
        DATA_VOLUME: '/data',
        USER_AGENT: 'x',
        POST: 'x',
        PGHOST: 'x',
      },
      ...{ OTEL_RESOURCE_ATTRIBUTES: 'a=b', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      ...{ SMTP_SERVICE_HOST: '10.0.0.1', SMTP_SERVICE_PORT: '25', SMTP_SERVICE_PORT_SMTP: '25' },
      ...{
        SMTP_PORT: 'tcp://10.0.0.1:25',
        SMTP_PORT_25_TCP: 'tcp://10.0.0.1:25',
        SMTP_PORT_25_TCP_ADDR: '10.0.0.1',
      },
    }),
    [],
  )
  // Without a Service of this name, somebody meant the port of the relay.
  t.deepEqual(named({ SMTP_PORT: '25' }), ['SMTP_PORT'])
})

test('every variable of ours is known, also as a file', (t) => {
  const all = Object.fromEntries(
    [...declarations.map(([name]) => name), ...FROM_FILES.map((name) => `${name}_FILE`)].map((name) => [
      name,
      '',
    ]),
  )
  t.deepEqual(named(all), [])
})

for (const [what, env, idle] of [
  [
    'Postmark, while mails go over SMTP',
    { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'x', POSTMARK_SERVER_TOKEN: 'x', POSTMARK_MESSAGE_STREAM: 'codes' },
    ['POSTMARK_SERVER_TOKEN', 'POSTMARK_MESSAGE_STREAM'],
  ],
  [
    'SMTP, while mails go over Postmark',
    { MAIL_TRANSPORT: 'postmark', SMTP_URL: 'x', SMTP_EHLO_NAME: 'x', SMTP_OAUTH_SCOPE: 'x' },
    ['SMTP_URL', 'SMTP_EHLO_NAME', 'SMTP_OAUTH_SCOPE'],
  ],
  [
    'both, while the mailbox takes all',
    { SMTP_URL: 'x', POSTMARK_SERVER_TOKEN: 'x' },
    ['SMTP_URL', 'POSTMARK_SERVER_TOKEN'],
  ],
  [
    'nothing, with both in use',
    { MAIL_TRANSPORT: 'smtp, postmark', SMTP_URL: 'x', POSTMARK_SERVER_TOKEN: 'x' },
    [],
  ],
  [
    'Keycloak, while the users are here',
    { KEYCLOAK_URL: 'x', KEYCLOAK_REALM: 'x', KEYCLOAK_CLIENT_ID: 'x', KEYCLOAK_CLIENT_SECRET: 'x' },
    ['KEYCLOAK_URL', 'KEYCLOAK_REALM', 'KEYCLOAK_CLIENT_ID', 'KEYCLOAK_CLIENT_SECRET'],
  ],
  [
    'traces, without a collector',
    { OTEL_SERVICE_NAME: 'bank', OTEL_TRACES_SAMPLER_ARG: '0.5', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' },
    ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_SERVICE_NAME', 'OTEL_TRACES_SAMPLER_ARG'],
  ],
  [
    'nothing, for a default',
    { POSTMARK_API_URL: 'https://api.postmarkapp.com', OTEL_SERVICE_NAME: 'countersign' },
    [],
  ],
  ['the folder of development, in production', { NODE_ENV: 'production', DATA_DIR: '/data' }, ['DATA_DIR']],
] as const) {
  test(`warnings name ${what}`, (t) => {
    t.deepEqual(named(env as Readonly<Record<string, string>>), idle)
  })
}

test('what production leaves open has a warning', (t) => {
  const env = { ...production('postgresql://db.bank.example/c'), DATABASE_TLS: 'unverified' }

  t.deepEqual(named(env), ['DATABASE_TLS'])
  t.deepEqual(
    named({ ...production('postgresql://127.0.0.1/c'), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' }),
    ['OTEL_EXPORTER_OTLP_ENDPOINT'],
  )
  for (const endpoint of ['https://otel:4318', 'http://127.0.0.1:4318']) {
    const quiet = { ...production('postgresql://127.0.0.1/c'), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
    t.deepEqual(named(quiet), [], endpoint)
  }
  const soon = new Date(Date.now() + 3_600_000).toISOString()
  t.deepEqual(named({ ...production('postgresql://127.0.0.1/c'), UNSEALED_UNTIL: soon }), ['UNSEALED_UNTIL'])
  // There the word has no effect.
  for (const url of ['postgresql://127.0.0.1/c', 'postgresql://db.bank.example/c?sslmode=verify-full']) {
    const [warning, ...others] = readWarnings({ ...production(url), DATABASE_TLS: 'unverified' })
    t.deepEqual(others, [])
    t.regex(warning?.found ?? '', /^has no effect/)
  }
})
