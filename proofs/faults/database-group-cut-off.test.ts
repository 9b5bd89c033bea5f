import test, { type ExecutionContext } from 'ava'
import { createTestDatabase } from '../../test/support/database.ts'
import type { Reply } from '../../test/support/http-call.ts'
import { type Attempt, STEPS, type Step } from './steps.ts'
import type { TcpProxy } from './tcp-proxy.ts'
import { assertOutage, inTime, startTroubledService, type TroubledService } from './troubled-service.ts'

/* Faults that hit a statement that several requests share. The requests of a burst wait together, because the database is slow. */

const TIMEOUT_IN_MS = 150_000
/** Attempts of each step in a burst. */
const OF_EACH = 4
/** Long enough that the requests of a burst wait for the first two. Below the time after which a group counts as slow. */
const SLOW_IN_MS = 25

/** An attempt, and the step that it takes. */
interface Member extends Attempt {
  readonly step: Step
}

let service: TroubledService

test.before(async () => {
  const database = await createTestDatabase()
  service = await startTroubledService(database.url)
})

test.after.always(async () => {
  await service?.end()
})

const ON_CHALLENGES = STEPS.filter(({ load }) => load === 'step-ups.load')
const CREATE = STEPS.filter(({ name }) => name === 'create')

async function membersOf(steps: readonly Step[]): Promise<Member[]> {
  const members: Member[] = []
  for (const step of steps) {
    const attempts = await Promise.all(
      Array.from({ length: OF_EACH * (5 - steps.length) }, () => step.prepare(service)),
    )
    members.push(...attempts.map((attempt) => ({ ...attempt, step })))
  }
  return members
}

/** Sends all at once while the fault waits for their statement. */
async function burst(members: readonly Member[], strike: Parameters<TcpProxy['strike']>[0]) {
  service.proxy.slow(SLOW_IN_MS)
  const struck = service.proxy.strike(strike)
  const replies = await Promise.all(members.map(({ send }) => inTime(send())))
  await struck
  await service.proxy.pass()
  return members.map((member, n) => ({ member, reply: replies[n]! }))
}

/** What came of a burst: those that the fault hit got a 503, and the others what they get without one. */
function struckIn(
  t: ExecutionContext,
  answered: readonly { readonly member: Member; readonly reply: Reply }[],
  expected: (step: Step) => number,
): Member[] {
  const struck: Member[] = []
  for (const { member, reply } of answered) {
    const { step } = member
    if (reply.status === expected(step)) continue
    assertOutage(t, reply, step.family, step.name)
    struck.push(member)
  }
  t.true(struck.length > 1, `a group of ${struck.length} was hit`)
  return struck
}

for (const how of ['cut', 'hang'] as const) {
  const happens = how === 'cut' ? 'is cut off' : 'falls silent'

  for (const [marker, at, stored, steps] of [
    ['step-ups.load-group', 'request', 0, ON_CHALLENGES],
    ['step-ups.load-group', 'answer', 0, ON_CHALLENGES],
    ['step-ups.save-group', 'request', 0, ON_CHALLENGES],
    ['step-ups.save-group', 'answer', 1, ON_CHALLENGES],
    ['step-ups.open-group', 'request', 0, CREATE],
    ['step-ups.open-group', 'answer', 1, CREATE],
  ] as const) {
    const moment = at === 'request' ? `before ${marker}` : `after ${marker}, whose answer is lost,`
    test.serial(
      `a group that ${happens} ${moment} is a 503 for each member, stored ${stored ? 'once' : 'nowhere'}, and can be repeated`,
      async (t) => {
        t.timeout(TIMEOUT_IN_MS)
        const members = await membersOf(steps)

        const answered = await burst(members, { marker, at, how })

        const struck = new Set(struckIn(t, answered, ({ status }) => status))
        for (const member of members) {
          t.is(await member.stored(), struck.has(member) ? stored : 1, member.step.name)
        }
        for (const { step, ...attempt } of struck) {
          t.is((await inTime(attempt.send())).status, stored ? step.again : step.status, step.name)
          t.is(await attempt.stored(), stored ? step.storedByTwo : 1, step.name)
        }
      },
    )
  }

  for (const at of ['request', 'answer'] as const) {
    const moment = at === 'request' ? 'before' : 'after'
    test.serial(
      `a group of repeated creates that ${happens} ${moment} it is found is a 503 for each member, and opens nothing`,
      async (t) => {
        t.timeout(TIMEOUT_IN_MS)
        const members = await membersOf(CREATE)
        for (const { send } of members) t.is((await send()).status, 201)

        const marker = 'step-ups.find-by-idempotency-key-group'
        const answered = await burst(members, { marker, at, how })

        const struck = struckIn(t, answered, ({ again }) => again)
        for (const member of struck) t.is((await inTime(member.send())).status, 200)
        for (const member of members) t.is(await member.stored(), 1)
      },
    )
  }
}

test.serial('no fault made the process fail, and no request was judged twice', async (t) => {
  t.is(service.process.process.exitCode, null)
  t.notRegex(service.process.output(), /FATAL|@example\.com/)
  const { rows } = await service.db.query(
    'SELECT request_id, type FROM challenge_events WHERE request_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1',
  )
  t.deepEqual(rows, [])
})
