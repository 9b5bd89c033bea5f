import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { readConfig } from '../../src/config/read-config.ts'
import { createTestDatabase, missingDatabaseUrl, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, mailsTo, openChallenge, registerUser, until, wrongCode } from './client.ts'
import { BIN, countersign, key, NOWHERE, production } from './command.ts'
import { createDataDir, startProcess } from './service-process.ts'

async function folder(t: ExecutionContext): Promise<string> {
  const { path, remove } = await createDataDir()
  t.teardown(remove)
  return path
}

test.serial(
  'help and version are what was asked for; a command that is not understood ends with 2',
  async (t) => {
    for (const args of [['--help'], ['--version'], ['keys', 'generate', '--help'], ['help', 'doctor']]) {
      const { status, stdout } = await countersign({}, ...args)
      t.is(status, 0, args.join(' '))
      t.not(stdout, '')
    }
    for (const args of [
      [],
      ['keys'],
      ['nonsense'],
      ['keys', 'generate', '--for', 'x'],
      ['challenge', 'show', 'x'],
    ]) {
      const { status, stdout, stderr } = await countersign({}, ...args)
      t.is(status, 2, args.join(' '))
      t.is(stdout, '')
      t.not(stderr, '')
    }
  },
)

test.serial('every command explains itself', async (t) => {
  const { stdout } = await countersign({}, '--help')
  for (const command of [
    ...['serve', 'deliver', 'migrate', 'keys', 'users', 'challenge', 'purge', 'config', 'doctor'],
  ]) {
    t.regex(stdout, new RegExp(`^ {2}${command} .*\\w`, 'm'))
  }
  t.regex(stdout, /Exit codes: 0 .* 1 .* 2 /)
})

test.serial(
  'generated keys are good enough for production, and the words about them stay out of the way',
  async (t) => {
    const { status, stdout, stderr } = await countersign({}, 'keys', 'generate')
    t.is(status, 0)
    t.regex(stderr, /rotate/)
    const env = Object.fromEntries(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/=(.*)/s) as [string, string]),
    )
    const { otpKeys, signingKeys } = readConfig(env)
    t.regex(otpKeys![0].id, /^otp-\d{4}-\d{2}-\d{2}-[0-9a-f]{4}$/)
    t.regex(signingKeys![0].id, /^signing-\d{4}-\d{2}-\d{2}-[0-9a-f]{4}$/)
    t.notDeepEqual(otpKeys![0].bytes, signingKeys![0].bytes)

    const one = await countersign({}, 'keys', 'generate', '--for', 'otp')
    t.is(readConfig({ OTP_KEYS: one.stdout.trimEnd() }).otpKeys?.length, 1)

    const { keys } = JSON.parse((await countersign({}, 'keys', 'generate', '--json')).stdout)
    t.is(readConfig({ [keys[1].variable]: keys[1].key }).signingKeys?.[0].id, keys[1].kid)
  },
)

test.serial(
  'a configuration with problems is listed whole and ends with 2, one without shows what is in force',
  async (t) => {
    const broken = await countersign({ NODE_ENV: 'production' }, 'config', 'check')
    t.is(broken.status, 2)
    t.is(broken.stderr.match(/^ {2}- \w+ is not set/gm)?.length, 11)

    const document = await countersign({ NODE_ENV: 'production' }, 'config', 'check', '--json')
    t.is(document.status, 2)
    t.is(JSON.parse(document.stdout).problems.length, 11)

    const sound = await countersign(
      production('postgresql://u:secret@db.bank.example/c?sslmode=verify-full'),
      'config',
      'check',
    )
    t.is(sound.status, 0, sound.stderr)
    t.regex(sound.stdout, /^DATABASE_URL +environment +withheld$/m)
    t.regex(sound.stdout, /^OTP_DIGITS +default +6$/m)
    t.notRegex(sound.stdout, /secret|pass-of/)
  },
)

test.serial(
  'config check and doctor warn about what nothing uses, and config check ends with 0',
  async (t) => {
    const env = {
      ...production(`postgresql://u:secret@${NOWHERE}/c`),
      OTP_KEY: 'the-secret',
      POSTMARK_SERVER_TOKEN: 'the-secret',
      SUBJECT_LOCK_SECONDS: '60',
    }

    const text = await countersign(env, 'config', 'check')
    t.is(text.status, 0)
    t.regex(text.stdout, /^warning: OTP_KEY is a variable that nothing uses\n {9}Set OTP_KEYS, if/m)
    t.regex(text.stdout, /^warning: POSTMARK_SERVER_TOKEN has no effect: it counts only with postmark in/m)
    t.regex(text.stdout, /^warning: SUBJECT_LOCK_SECONDS is 60: .*\n.* at least 300, .*RFC 4226/m)

    const document = JSON.parse((await countersign(env, 'config', 'check', '--json')).stdout)
    const warned = document.warnings.map(({ variable }: { variable: string }) => variable)
    t.deepEqual(warned, ['OTP_KEY', 'POSTMARK_SERVER_TOKEN', 'SUBJECT_LOCK_SECONDS'])

    const doctor = await countersign(env, 'doctor')
    t.is(doctor.stdout.match(/^warning +configuration /gm)?.length, 3)
    for (const { stdout, stderr } of [text, doctor]) t.false((stdout + stderr).includes('the-secret'))
  },
)

test.serial(
  'secrets are read from files, and a file that cannot be is a problem by the name of its variable',
  async (t) => {
    const home = await folder(t)
    const at = (name: string) => join(home, name)
    await writeFile(at('otp'), `k1:${key(1)}\n`)
    await writeFile(at('large'), 'x'.repeat(65 * 1024))
    await mkdir(at('folder'))

    const { stdout } = await countersign({ OTP_KEYS_FILE: at('otp') }, 'config', 'check')
    t.regex(stdout, /^OTP_KEYS +file +withheld, by kid: k1$/m)

    const { status, stderr } = await countersign(
      { DATABASE_URL_FILE: at('none'), OTP_KEYS_FILE: at('large'), SIGNING_KEYS_FILE: at('folder') },
      ...['config', 'check'],
    )
    t.is(status, 2)
    t.regex(stderr, /DATABASE_URL_FILE names a file that cannot be used: it does not exist/)
    t.regex(stderr, /OTP_KEYS_FILE .*: it must be a plain file of at most 64 KiB/)
    t.regex(stderr, /SIGNING_KEYS_FILE .*: it must be a plain file/)
    t.false(stderr.includes(home))
  },
)

test.serial('a service of two workers starts with its secrets in files', async (t) => {
  const home = await folder(t)
  const { DATABASE_URL, OTP_KEYS, ...env } = production((await createTestDatabase()).url)
  await writeFile(join(home, 'url'), DATABASE_URL)
  await writeFile(join(home, 'keys'), OTP_KEYS)

  const service = await startProcess({
    ...env,
    WORKERS: '2',
    DATABASE_URL_FILE: join(home, 'url'),
    OTP_KEYS_FILE: join(home, 'keys'),
  })
  t.teardown(() => service.end())

  t.is(await service.end('SIGTERM'), 0, service.output())
})

test.serial('the command serves with two workers, and ends in order at the first signal', async (t) => {
  const env = { ...production((await createTestDatabase()).url), WORKERS: '2' }
  const service = await startProcess(env, { args: ['serve'], program: BIN })
  t.teardown(() => service.end('SIGKILL'))
  const workers = await until(
    async () => [...service.output().matchAll(/"pid":(\d+),[^\n]*"msg":"ready"/g)].map(([, pid]) => pid!),
    (pids) => pids.length === 2,
  )
  for (const pid of process.platform === 'linux' ? workers : []) {
    // Nothing of the command line, which they have no use for.
    t.regex(await readFile(`/proc/${pid}/cmdline`, 'utf8'), /bin\/service\.mjs\0$/)
  }

  t.is(await service.end('SIGTERM'), 0, service.output())
})

test.serial('the command delivers without serving', async (t) => {
  const env = production((await createTestDatabase()).url)
  const child = spawn(process.execPath, [BIN, 'deliver'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const messages: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    messages.push(JSON.parse(line).msg)
    if (messages.includes('management ready')) break
  }
  t.false(messages.includes('ready'))

  const exit = once(child, 'exit')
  child.kill('SIGTERM')

  t.deepEqual(await exit, [0, null])
})

test.serial('a service whose configuration is wrong ends with 2, as every command does', async (t) => {
  for (const command of ['serve', 'deliver', 'migrate', 'purge']) {
    const { status, stderr } = await countersign({ NODE_ENV: 'production' }, command)
    t.is(status, 2, command)
    t.regex(stderr, /DATABASE_URL is not set/)
  }
})

test.serial(
  'migrations are applied to a database that is not there yet, once, and need no other secret',
  async (t) => {
    const url = missingDatabaseUrl()
    const env = { NODE_ENV: 'production', DATABASE_URL: url }

    const first = await countersign(env, 'migrate')
    t.is(first.status, 0, first.stderr)
    t.regex(first.stdout, /^applied 20261122000000_init$/m)
    t.deepEqual(JSON.parse((await countersign(env, 'migrate', '--json')).stdout), { applied: [] })
    t.is((await query(url, 'SELECT 1 FROM challenges')).length, 0)
  },
)

test.serial('migrations that fail end with 1, say why, and nothing of the URL', async (t) => {
  const { url } = await createTestDatabase()
  await query(
    url,
    `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '20261122000000_init'`,
  )

  const { status, stdout, stderr } = await countersign({ DATABASE_URL: url }, 'migrate')

  t.is(status, 1)
  t.is(stdout, '')
  t.regex(stderr, /The migrations failed:\n.*20261122000000_init/s)
  t.false(stderr.includes(new URL(url).password))

  const away = await countersign({ DATABASE_URL: `postgresql://u:secret@${NOWHERE}/none` }, 'migrate')
  t.is(away.status, 1)
  t.notRegex(away.stderr, /secret/)
})

test.serial('an operator sees what became of a challenge, without its code and the address', async (t) => {
  const { url: DATABASE_URL } = await createTestDatabase()
  const env = { DATABASE_URL, DATA_DIR: await folder(t) }
  const service = await startProcess(env)
  t.teardown(() => service.end())
  const user = await registerUser(service.url)
  const challenge = await openChallenge(service.url, user.userId)
  await call(service.url, 'POST', challenge.initiate, { token: user.token })
  const code = codeIn((await mailsTo(service.url, user.email))[0]!)
  await call(service.url, 'POST', challenge.verify, { token: user.token, json: { totp: wrongCode(code) } })
  await call(service.url, 'POST', challenge.verify, { token: user.token, json: { totp: code } })
  // A mail is in the mailbox a moment before that is on record.
  await until(
    () => query(DATABASE_URL, `SELECT 1 FROM otp_issuances WHERE status = 'sent'`),
    (rows) => rows.length === 1,
  )
  const show = (...args: string[]) => countersign(env, 'challenge', 'show', ...args)

  const { status, stdout, stderr } = await show(challenge.id.toUpperCase())
  t.is(status, 0, stderr)
  t.regex(stdout, /status +verified/)
  t.regex(stdout, /mail +sent to u•••@example\.com after 1 attempt/)
  t.regex(stdout, /otp-rejected +user:u-\S+ +attemptsRemaining=4 request=\S+ from=127\.0\.0\.1/)

  const document = await show(challenge.id, '--json')
  t.is(JSON.parse(document.stdout).budgets.attemptsRemaining, 4)
  for (const secret of [code, user.email, '1,250.00']) t.false((stdout + document.stdout).includes(secret))

  const unknown = await show('0197a000-0000-7000-8000-0000000000c1')
  t.is(unknown.status, 1)
  t.is(unknown.stdout, '')
  t.regex(unknown.stderr, /^There is no challenge 0197a000/)
})
