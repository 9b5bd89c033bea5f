import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
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

/** Runs a script with the log of production as `logger`, and returns its lines, and how often it wrote to its output. */
async function processThatLogs(script: string) {
  const module = new URL('../../src/process/logger.ts', import.meta.url).href
  const source = `
    import fs from 'node:fs'
    import { createLogger } from ${JSON.stringify(module)}
    const write = fs.writeSync
    let writes = 0
    fs.writeSync = (...all) => { writes++; return write(...all) }
    process.on('exit', () => process.stderr.write(String(writes)))
    const logger = createLogger({ logLevel: 'info', production: true })
    ${script}`
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source])
  const { stdout, stderr } = await child.catch((error: { stdout: string; stderr: string }) => error)
  const messages = stdout.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line).msg))
  if (!/^\d+$/.test(stderr)) throw new Error(stderr)
  return { messages, writes: Number(stderr) }
}

test('the lines of one turn are written together, and those of another turn after them', async (t) => {
  const { messages, writes } = await processThatLogs(`
    logger.info('one')
    logger.info('two')
    setImmediate(() => { logger.info('three'); logger.info('four') })`)

  t.deepEqual(messages, ['one', 'two', 'three', 'four'])
  t.is(writes, 2)
})

for (const [what, end] of [
  ['that exits', 'process.exit(1)'],
  [
    'that fails',
    `process.once('uncaughtException', (err) => { logger.fatal(err, 'two'); process.exit(1) }); throw new Error()`,
  ],
] as const) {
  test(`a process ${what} has written every line`, async (t) => {
    const { messages } = await processThatLogs(
      `logger.info('one'); ${what === 'that exits' ? `logger.info('two');` : ''} ${end}`,
    )

    t.deepEqual(messages, ['one', 'two'])
  })
}
