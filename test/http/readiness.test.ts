import test from 'ava'
import { Readiness } from '../../src/adapters/http-koa/edge/readiness.ts'
import { edge } from './edge.ts'

/** A check that counts how often it is asked, and answers what it is told to. */
function checkOf(name: string, answer: () => Promise<string | undefined> = async () => undefined) {
  let asked = 0
  return {
    name,
    asked: () => asked,
    problem: () => {
      asked++
      return answer()
    },
  }
}

const never = () => new Promise<undefined>(() => {})
/** Reports are never old, or always: no test waits for a second to pass. */
const ALWAYS_FRESH = { freshForInMs: Number.POSITIVE_INFINITY }
const NEVER_FRESH = { freshForInMs: 0 }

test('the process is alive whatever its checks say, and ready only when all are well', async (t) => {
  let problem: string | undefined = 'the database does not answer'
  const checks = [checkOf('database', async () => problem), checkOf('deliverer')]
  const { call } = await edge(t, { readiness: new Readiness(checks, NEVER_FRESH) })

  t.is((await call('GET', '/healthz')).status, 200)
  const unready = await call('GET', '/readyz')
  t.is(unready.status, 503)
  t.is(unready.headers.get('Retry-After'), '2')
  t.like(unready.body, { code: 'urn:plmr:mfa-totp:api:INTERNAL_SERVER_ERROR' })
  t.deepEqual(unready.body.checks, { database: 'the database does not answer', deliverer: 'ok' })

  problem = undefined
  const ready = await call('GET', '/readyz')
  t.is(ready.status, 200)
  t.is(ready.headers.get('Retry-After'), null)
  t.deepEqual(ready.body, { status: 'ready', checks: { database: 'ok', deliverer: 'ok' } })
})

test('a check that works with a remark leaves it ready, and the remark is shown', async (t) => {
  const issuer = { ...checkOf('issuer'), remark: () => 'the issuer gives no keys' }
  const { call } = await edge(t, { readiness: new Readiness([issuer, checkOf('database')]) })

  const { status, body } = await call('GET', '/readyz')

  t.is(status, 200)
  t.deepEqual(body.checks, { issuer: 'ok: the issuer gives no keys', database: 'ok' })
})

test('a check that hangs makes it unready by name, holds up no answer, and is not asked twice', async (t) => {
  const hanging = checkOf('database', never)
  const { call } = await edge(t, {
    readiness: new Readiness([hanging, checkOf('deliverer')], { timeoutInMs: 5, ...NEVER_FRESH }),
  })

  for (let n = 0; n < 2; n++) {
    const { status, body } = await call('GET', '/readyz')
    t.is(status, 503)
    t.deepEqual(body.checks, { database: 'no answer within 5 ms', deliverer: 'ok' })
  }
  t.is(hanging.asked(), 1)
})

test('a check has five seconds', async (t) => {
  const readiness = new Readiness([checkOf('database', never)])
  const asked = performance.now()

  const { checks } = await readiness.report()

  t.deepEqual(checks, { database: 'no answer within 5000 ms' })
  t.true(performance.now() - asked >= 4990)
})

test('a check that breaks makes it unready by name, and says nothing of the error', async (t) => {
  const readiness = new Readiness([checkOf('database', () => Promise.reject(new Error('password')))])

  t.deepEqual(await readiness.report(), { ready: false, checks: { database: 'the check itself failed' } })
})

test('probes that come together share one look, and so do those of the second after it', async (t) => {
  let now = 0
  const answers: ((problem: undefined) => void)[] = []
  const check = checkOf('database', () => new Promise((resolve) => answers.push(resolve)))
  const readiness = new Readiness([check], { now: () => now })

  const together = [readiness.report(), readiness.report(), readiness.report()]
  // As long as it takes to look, nothing is old.
  now = 5000
  together.push(readiness.report())
  answers[0]!(undefined)
  t.true((await Promise.all(together)).every(({ ready }) => ready))
  t.is(check.asked(), 1)

  now = 5999
  t.true((await readiness.report()).ready)
  t.is(check.asked(), 1)

  now = 6000
  const later = readiness.report()
  t.is(check.asked(), 2)
  answers[1]!(undefined)
  t.true((await later).ready)
})

test('a process that is told to stop is unready at once, whatever was found a moment ago', async (t) => {
  const readiness = new Readiness([checkOf('database')], ALWAYS_FRESH)
  const { call } = await edge(t, { readiness })
  t.is((await call('GET', '/readyz')).status, 200)

  readiness.end()

  const { status, body } = await call('GET', '/readyz')
  t.is(status, 503)
  t.deepEqual(body.checks, { database: 'ok', process: 'it is stopping' })
})

test('a look that was under way when the process was told to stop does not call it ready', async (t) => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const readiness = new Readiness([checkOf('database', () => promise)])

  const report = readiness.report()
  readiness.end()
  resolve(undefined)

  t.false((await report).ready)
})

test('a process that is told to stop before it was ever asked is unready without a look', async (t) => {
  const check = checkOf('database')
  const readiness = new Readiness([check])
  readiness.end()

  t.deepEqual(await readiness.report(), { ready: false, checks: { process: 'it is stopping' } })
  t.is(check.asked(), 0)
})

test('a change is reported once, and not again while it lasts', async (t) => {
  let problem: string | undefined
  const reports: boolean[] = []
  const readiness = new Readiness([checkOf('database', async () => problem)], {
    ...NEVER_FRESH,
    onChange: ({ ready }) => reports.push(ready),
  })

  for (const next of [undefined, 'silent', 'silent', 'refused', undefined, undefined]) {
    problem = next
    await readiness.report()
  }

  t.deepEqual(reports, [false, false, true])
})
