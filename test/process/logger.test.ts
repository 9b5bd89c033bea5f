import test from 'ava'
import { createLogger } from '../../src/process/logger.ts'

/** A log of production, and what stands in it. */
function logged() {
  const written: string[] = []
  const destination = { write: (line: string) => void written.push(line) }
  const logger = createLogger({ logLevel: 'debug', production: true }, destination)
  return { logger, text: () => written.join(''), lines: () => written.map((line) => JSON.parse(line)) }
}

for (const name of [
  'authorization',
  'body',
  'email',
  'password',
  'recipient',
  'signature',
  'token',
  'totp',
]) {
  test(`a field named ${name} is not written, neither of a line nor of an error`, (t) => {
    const { logger, text, lines } = logged()

    logger.info({ [name]: 'confidential', requestId: 'r-1' }, 'request')
    logger.error({ err: Object.assign(new Error('failed'), { [name]: 'confidential' }) }, 'request failed')
    logger.child({ [name]: 'confidential' }).warn('mail attempt')

    t.false(text().includes('confidential'))
    t.like(lines()[0], { [name]: '[Redacted]', requestId: 'r-1', msg: 'request' })
    t.like(lines()[1], { err: { message: 'failed', [name]: '[Redacted]' } })
  })
}

test('what a driver hangs on its error is not written, its code is', (t) => {
  const { logger, text, lines } = logged()
  const err = Object.assign(new Error('refused'), {
    code: '23514',
    detail: 'Failing row contains (confidential)',
  })

  logger.error({ err }, 'request failed')

  t.false(text().includes('confidential'))
  t.like(lines()[0], { err: { message: 'refused', code: '23514' } })
})

for (const [what, secret] of [
  ['an address', 'alice.smith+bank@mail.example.com'],
  ['an address in angle brackets', '<alice@example.com>'],
  ['a JSON Web Token', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2ln_-YQ'],
  ['the password in a URL', 'postgresql://countersign:pass-word@db.bank.example/countersign'],
] as const) {
  test(`${what} is not written, wherever it stands`, (t) => {
    const { logger, text, lines } = logged()
    const [, known = ''] = /(alice|eyJ|pass-word)/.exec(secret) ?? []

    logger.info({ caller: `user:${secret}` }, 'request')
    logger.error({ err: new Error(`550 no such user: ${secret}, sorry`) }, `failed for ${secret} twice`)
    logger.debug({ deep: { in: [{ a: secret }] } }, 'debug')
    for (const before of ['\n', '\u0007', '\ud800', '"', '\\'])
      logger.debug({ a: `${before}${secret}${before}` }, 'debug')

    t.false(text().includes(known), text())
    t.is(lines().length, 8)
    for (const { a } of lines().slice(3)) t.true(a.includes('[Redacted]'), a)
    t.regex(lines()[1].err.message, /^550 no such user: .*\[Redacted\].*, sorry$/)
    t.regex(lines()[1].msg, /^failed for .* twice$/)
  })
}

test('lines of JSON say when, how grave, from which process, and what', (t) => {
  const { logger, lines } = logged()

  logger.warn({ requestId: 'r-1', url: 'http://127.0.0.1:3000' }, 'ready')

  const { time, ...line } = lines()[0]
  t.is(typeof time, 'number')
  t.deepEqual(line, {
    level: 40,
    pid: process.pid,
    requestId: 'r-1',
    url: 'http://127.0.0.1:3000',
    msg: 'ready',
  })
})
