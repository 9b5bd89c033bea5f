import { createServer } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { decodeProtectedHeader } from 'jose'
import { pino } from 'pino'
import { AgentSessions } from '../../../src/adapters/http-koa/support/agent-sessions.ts'
import { SealedCookies } from '../../../src/adapters/http-koa/support/sealed-cookies.ts'
import { supportDesk } from '../../../src/adapters/http-koa/support/support-desk.ts'
import { timesIn } from '../../../src/adapters/http-koa/support/times.ts'
import { ReviewChallenge } from '../../../src/application/challenges/review-challenge.ts'
import { DirectoryUnavailable } from '../../../src/application/ports/user-directory.ts'
import { FindMarkedChallenges } from '../../../src/application/support/find-marked-challenges.ts'
import { FindSubjectsOfMailbox } from '../../../src/application/support/find-subjects-of-mailbox.ts'
import {
  type Agent,
  type AgentSignIn,
  SignInRefused,
  SignInUnavailable,
} from '../../../src/contracts/agent-sign-in.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { ChallengeNotFound } from '../../../src/domain/challenge.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { scenario } from '../../application/scenario.ts'
import { POLICY } from '../../domain/examples.ts'
import { AgentBrowser } from '../../support/agent-browser.ts'
import { listening } from '../listening.ts'

const SAM: Agent = { id: 'agent-7', name: 'Sam <Lee>', mayRead: true, mayWrite: true }
const KIM: Agent = { id: 'agent-8', name: 'Kim Roe', mayRead: true, mayWrite: false }
const JO: Agent = { id: 'teller-1', name: 'Jo Poe', mayRead: false, mayWrite: false }
const ORIGIN = { requestId: 'r', remoteAddress: '192.0.2.9' }
const KEY = { id: 'k1', bytes: Buffer.alloc(32, 7) }

/** An issuer that lets everybody in as `who`, without a page of its own. */
class ObligingSignIn implements AgentSignIn {
  who: Agent | Error = SAM
  begun = 0
  readonly origin: string
  constructor(origin: string) {
    this.origin = origin
  }
  begin = async () => {
    if (this.who instanceof SignInUnavailable) throw this.who
    const state = `state-${++this.begun}`
    const url = new URL(`${this.origin}/support/callback?code=c&state=${state}`)
    return { url, secrets: { state, nonce: 'n', codeVerifier: 'verifier-of-pkce' } }
  }
  finish = async (query: string, { state }: { state: string }) => {
    if (this.who instanceof Error) throw this.who
    if (new URLSearchParams(query).get('state') !== state) throw new SignInRefused('state')
    return this.who
  }
  endSessionUrl = async () => undefined as URL | undefined
}

async function desk(t: ExecutionContext, { keys = [KEY] as [typeof KEY, ...(typeof KEY)[]] } = {}) {
  const all = await scenario({ code: '123456' })
  const lines: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  // The desk knows its origin before it answers, and the port is known only now.
  const answer: { desk?: ReturnType<typeof supportDesk> } = {}
  const origin = await listening(
    t,
    createServer((request, response) => answer.desk!(request, response)),
  )
  const signIn = new ObligingSignIn(origin)
  const faults: { find?: Error; review?: Error } = {}
  const listed: unknown[] = []
  const review = new ReviewChallenge(all.store.stepUps, all.store.trail, all.clock, POLICY)
  answer.desk = supportDesk({
    ...{ signIn, logger, origin, clock: all.clock },
    sessions: new AgentSessions(new SealedCookies(keys, { secure: false }), all.clock, { seconds: 3600 }),
    times: timesIn('UTC'),
    addressOf: ({ socket }) => socket.remoteAddress,
    useCases: {
      ...all,
      reviewChallenge: {
        execute: async (id) => {
          if (faults.review) throw faults.review
          return review.execute(id)
        },
      },
      trail: all.store.trail,
      listChallenges: {
        execute: (command) => {
          listed.push(command.after)
          return all.listChallenges.execute(command)
        },
      },
      findMarkedChallenges: new FindMarkedChallenges(all.store.supportSearch, all.clock),
      findSubjectsOfMailbox: new FindSubjectsOfMailbox(all.store.supportSearch),
      findSubject: {
        execute: async (userId) => {
          if (faults.find) throw faults.find
          return all.findSubject.execute(userId)
        },
      },
    },
  })
  const browser = new AgentBrowser()
  const get = async (path: string) => {
    const { url, response } = await browser.follow(`${origin}${path}`)
    return { path: `${url.pathname}${url.search}`, status: response!.status, text: await response!.text() }
  }
  const formToken = async () => /name="form-token" value="([^"]+)"/.exec((await get('/support')).text)![1]!
  const post = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => {
    const response = await browser.ask(`${origin}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { Origin: origin, ...headers },
    })
    return {
      status: response.status,
      location: response.headers.get('location'),
      text: await response.text(),
    }
  }
  const lock = async () => {
    const id = await all.open()
    await all.issue(id)
    await all.deliver()
    for (let n = 0; n < 5; n += 1) await all.verify(id, '000000')
    return id
  }
  return { ...all, ...{ listed, origin, signIn, browser, lines, faults, get, post, formToken, lock } }
}

const cookieOf = (browser: AgentBrowser, origin: string) =>
  browser.cookiesOf(origin).get('countersign-support')

test('whoever comes without a session goes to the issuer, and from there to the page they wanted', async (t) => {
  const { get, signIn, open } = await desk(t)
  const id = await open()

  const { path, status, text } = await get(`/support/challenges/${id}`)

  t.is(signIn.begun, 1)
  t.is(path, `/support/challenges/${id}`)
  t.is(status, 200)
  t.true(text.includes('Confirmation of payments.initiate'))
})

for (const path of [
  '/support',
  '/support/find?id=alice',
  '/support/address?hash=x',
  '/support/find-mail?mark=AB&minute=2026-03-01T12:00',
  '/support/challenges/018f0000-0000-7000-8000-000000000000',
  '/support/user?id=alice',
  '/support/user/unlock?id=alice',
  '/support/user/lift?id=alice',
]) {
  test(`${path} without a session leads to the issuer, and shows and logs nothing of a user`, async (t) => {
    const { origin, lines, lock } = await desk(t)
    await lock()

    const response = await new AgentBrowser().ask(`${origin}${path}`)

    t.is(response.status, 302)
    t.regex(
      response.headers.get('location')!,
      /\/support\/callback\?code=c&state=state-1$|^\/support\/sign-in/,
    )
    t.false((await response.text()).includes('alice'))
    t.false(lines.some(({ msg }) => msg === 'support look'))
  })
}

test('a page tells what happened, and has neither a code, nor a whole address, nor the text of the operation', async (t) => {
  const { get, lock, clock } = await desk(t)
  const id = await lock()
  clock.pass(5)

  const pages = [
    await get(`/support/challenges/${id}`),
    await get('/support/user?id=alice'),
    await get('/support'),
  ]

  t.true(pages[0]!.text.includes('The user typed a wrong code. 4 attempts are left.'))
  t.true(pages[0]!.text.includes('a•••@example.com'))
  t.true(pages[1]!.text.includes('a•••@example.com'))
  for (const { text, status } of pages) {
    t.is(status, 200)
    for (const secret of ['123456', '000000', 'alice@', '1,250.00', 'DE89', '47DEQpj8'])
      t.false(text.includes(secret), secret)
    t.notRegex(text, /<script|style="|javascript:|\son\w+=/)
  }
})

test('each look leaves a line with the agent in it, and no address', async (t) => {
  const { get, open, lines } = await desk(t)
  const id = await open()
  await get(`/support/challenges/${id}`)
  await get('/support/user?id=alice')

  t.like(
    lines.find(({ msg, look }) => msg === 'support look' && look === 'challenge'),
    { caller: 'agent:agent-7', challengeId: id, subject: 'alice' },
  )
  t.like(
    lines.find(({ msg, look }) => msg === 'support look' && look === 'user'),
    { caller: 'agent:agent-7', subject: 'alice' },
  )
  t.like(
    lines.find(({ msg }) => msg === 'support sign-in'),
    { caller: 'agent:agent-7', mayWrite: true },
  )
  t.false(JSON.stringify(lines).includes('@example.com'))
})

test('unlocking asks once more, ends the lock, and is an event of the agent', async (t) => {
  const { get, post, formToken, lock, store, lines, issue, open, clock } = await desk(t)
  await lock()
  t.true((await get('/support/user?id=alice')).text.includes('Unlock the user'))

  const asked = await get('/support/user/unlock?id=alice')
  t.true(asked.text.includes('Unlock this user?'))
  t.false(store.events.some(({ type }) => type === 'subject-unlocked'))
  const { status, location } = await post('/support/user/unlock', {
    id: 'alice',
    'form-token': await formToken(),
  })

  t.is(status, 303)
  t.true((await get(location!)).text.includes('The user is unlocked.'))
  t.like(store.events.at(-1), { type: 'subject-unlocked', actor: 'agent:agent-7', subjectUserId: 'alice' })
  t.like(
    lines.find(({ msg }) => msg === 'support action'),
    { caller: 'agent:agent-7', subject: 'alice', done: 'unlocked' },
  )
  clock.pass(60)
  await t.notThrowsAsync(open().then((id) => issue(id)))
})

test('the page says what was done once, to that user, and no link can make it say so', async (t) => {
  const { get, post, formToken, lock, putUser } = await desk(t)
  await putUser.execute({ userId: 'bob', email: 'bob@example.com', clientId: 'crm', origin: ORIGIN })
  await lock()
  t.false((await get('/support/user?id=alice&done=unlocked')).text.includes('is unlocked'))

  const { location } = await post('/support/user/unlock', { id: 'alice', 'form-token': await formToken() })

  t.is(location, '/support/user?id=alice')
  t.false((await get('/support/user?id=bob')).text.includes('is unlocked'))
  t.true((await get('/support/user?id=alice')).text.includes('The user is unlocked.'))
  t.false((await get('/support/user?id=alice')).text.includes('is unlocked'))
})

test('the page says nothing of what was done more than a minute ago', async (t) => {
  const { get, post, formToken, lock, clock } = await desk(t)
  await lock()
  await post('/support/user/unlock', { id: 'alice', 'form-token': await formToken() })
  clock.pass(60)

  t.false((await get('/support/user?id=alice')).text.includes('is unlocked'))
})

test('unlocking a user who is not locked says so, and leaves no event', async (t) => {
  const { get, post, formToken, store } = await desk(t)
  const events = store.events.length

  const { location } = await post('/support/user/unlock', { id: 'alice', 'form-token': await formToken() })

  t.true((await get(location!)).text.includes('was not locked any more'))
  t.is(store.events.length, events)
})

test('lifting a suppression asks once more, and is an event of the agent', async (t) => {
  const { get, post, formToken, open, issue, deliver, store, recordMailEvent, clock } = await desk(t)
  const id = await open()
  await issue(id)
  await deliver()
  await recordMailEvent.execute({
    issuanceId: (await store.stepUps.load(id))!.issuance!.id,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: clock.now() },
    origin: undefined,
  })
  clock.pass(1)
  t.true((await get(`/support/challenges/${id}`)).text.includes('Lift the suppression'))

  t.true((await get('/support/user/lift?id=alice')).text.includes('Lift the suppression?'))
  const { location } = await post('/support/user/lift', { id: 'alice', 'form-token': await formToken() })

  t.true((await get(location!)).text.includes('The suppression is lifted.'))
  t.like(store.events.at(-1), { type: 'suppression-lifted', actor: 'agent:agent-7' })
})

test('an agent who may only read sees no button, and can do nothing by hand either', async (t) => {
  const { get, post, formToken, lock, signIn, store } = await desk(t)
  const id = await lock()
  signIn.who = KIM

  for (const path of [`/support/challenges/${id}`, '/support/user?id=alice']) {
    const { text, status } = await get(path)
    t.is(status, 200)
    t.false(text.includes('/support/user/unlock'), path)
  }
  t.is((await get('/support/user/unlock?id=alice')).status, 403)
  for (const action of ['unlock', 'lift']) {
    const { status } = await post(`/support/user/${action}`, { id: 'alice', 'form-token': await formToken() })
    t.is(status, 403)
  }
  t.false(store.events.some(({ type }) => type === 'subject-unlocked'))
})

test('somebody without a role gets a page that says so, and no session', async (t) => {
  const { get, signIn, browser, origin, lines } = await desk(t)
  signIn.who = JO

  const { status, text } = await get('/support')

  t.is(status, 403)
  t.true(text.includes('may not use the support desk'))
  t.is(cookieOf(browser, origin), undefined)
  t.like(
    lines.find(({ msg }) => msg === 'support sign-in refused'),
    { caller: 'agent:teller-1', reason: 'no_role' },
  )
})

for (const [what, change] of [
  ['without the token of the session', { form: { 'form-token': '' } }],
  ['with the token of another session', { form: { 'form-token': 'A'.repeat(43) } }],
  ['of another origin', { headers: { Origin: 'https://evil.example' } }],
  ['without an origin', { headers: { Origin: '' } }],
  ['whose origin the browser hides', { headers: { Origin: 'null' } }],
  ['that is JSON', { headers: { 'Content-Type': 'application/json' } }],
  ['that is too large', { form: { id: 'a'.repeat(5000) } }],
] as const) {
  test(`a form ${what} changes nothing`, async (t) => {
    const { post, formToken, lock, store } = await desk(t)
    await lock()
    const { form = {}, headers = {} } = { form: undefined, headers: undefined, ...change }

    const { status } = await post(
      '/support/user/unlock',
      { id: 'alice', 'form-token': await formToken(), ...form },
      headers,
    )

    t.is(status, 403)
    t.false(store.events.some(({ type }) => type === 'subject-unlocked'))
  })
}

test('a GET changes nothing, whatever it asks for', async (t) => {
  const { get, lock, store, formToken } = await desk(t)
  await lock()
  const before = store.events.length

  for (const path of ['/support/user/unlock', '/support/user/lift'])
    await get(`${path}?id=alice&form-token=${await formToken()}`)

  t.is(store.events.length, before)
})

test('a session ends after an hour, whatever was looked at, and after a quarter of an hour without a look', async (t) => {
  const { get, signIn, clock } = await desk(t)
  await get('/support')
  t.is(signIn.begun, 1)

  for (let minutes = 0; minutes < 56; minutes += 14) {
    clock.pass(14 * 60)
    await get('/support')
  }
  t.is(signIn.begun, 1)
  clock.pass(4 * 60)
  await get('/support')
  t.is(signIn.begun, 2)

  clock.pass(15 * 60 - 1)
  await get('/support')
  t.is(signIn.begun, 2)
  clock.pass(15 * 60)
  await get('/support')
  t.is(signIn.begun, 3)
})

test('the cookie is sealed: nobody reads it, and a change, a foreign key or the cookie of a sign-in is no session', async (t) => {
  const { get, signIn, browser, origin } = await desk(t)
  await get('/support')
  const cookie = cookieOf(browser, origin)!

  t.deepEqual(decodeProtectedHeader(cookie), { alg: 'dir', enc: 'A256GCM', kid: 'k1' })
  t.false(Buffer.from(cookie, 'base64url').toString('latin1').includes('agent-7'))
  const other = await desk(t, { keys: [{ id: 'k1', bytes: Buffer.alloc(32, 8) }] })
  await other.get('/support')
  const [head, ...rest] = cookie.split('.')
  const changed = [head, ...rest.slice(0, 2), `A${rest[2]!.slice(1)}B`, rest[3]].join('.')
  const begun = await browser.ask(`${other.origin}/support`)
  const signInCookie = /countersign-support-sign-in=([^;]+)/.exec(begun.headers.get('set-cookie') ?? '')![1]!
  const forged = [changed, cookieOf(other.browser, other.origin)!, signInCookie, 'nonsense', 'a.b.c.d.e', '']
  for (const value of forged) {
    const before = signIn.begun
    browser.setCookie(origin, 'countersign-support', value)
    await get('/support')
    t.is(signIn.begun, before + 1, value.slice(0, 20))
  }
})

test('after a rotation of the keys, a session of the key before goes on', async (t) => {
  const old = await desk(t)
  await old.get('/support')
  const next = await desk(t, { keys: [{ id: 'k2', bytes: Buffer.alloc(32, 9) }, KEY] })
  next.browser.setCookie(next.origin, 'countersign-support', cookieOf(old.browser, old.origin)!)

  await next.get('/support')

  t.is(next.signIn.begun, 0)
  t.is(decodeProtectedHeader(cookieOf(next.browser, next.origin)!).kid, 'k2')
})

test('cookies stay away from scripts and other sites, and over HTTPS from plain HTTP and other hosts', async (t) => {
  const { origin, browser } = await desk(t)
  const { headers } = await browser.ask(`${origin}/support`)
  t.regex(headers.get('set-cookie')!, /^countersign-support-sign-in=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)

  const lines: string[] = []
  const secure = new SealedCookies([KEY], { secure: true })
  await secure.set(
    { append: (_: string, line: string) => lines.push(line) } as never,
    'support',
    {},
    new Date(),
  )
  t.regex(lines[0]!, /^__Host-countersign-support=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
})

test('signing out ends the session of this browser', async (t) => {
  const { get, post, formToken, browser, origin, lines, signIn } = await desk(t)
  const token = await formToken()

  const { status, location } = await post('/support/sign-out', { 'form-token': token })

  t.is(status, 303)
  t.is(cookieOf(browser, origin), undefined)
  t.true((await get(location!)).text.includes('You are signed out'))
  t.is(signIn.begun, 1)
  t.like(
    lines.find(({ msg }) => msg === 'support sign-out'),
    { caller: 'agent:agent-7' },
  )
})

test('an answer of the issuer counts only in the browser that asked, and there once', async (t) => {
  const { origin, browser, signIn } = await desk(t)
  const begun = await browser.ask(`${origin}/support`)
  const back = begun.headers.get('location')!

  t.is((await new AgentBrowser().ask(back)).status, 400)
  t.is((await browser.ask(`${back}x`)).status, 403)
  t.is((await browser.ask(back)).status, 400)
  t.is(cookieOf(browser, origin), undefined)
  t.is(signIn.begun, 1)
})

test('an issuer that fails or refuses gets a page of its own, and the log has the reason', async (t) => {
  const { get, signIn, lines } = await desk(t)
  signIn.who = new SignInUnavailable('no_answer')
  const down = await get('/support')
  t.is(down.status, 503)
  t.true(down.text.includes('You cannot sign in at the moment'))

  signIn.who = new SignInRefused('access_denied')
  const refused = await get('/support')
  t.is(refused.status, 403)
  t.true(refused.text.includes('The sign-in did not succeed'))

  t.deepEqual(
    lines.filter(({ reason }) => reason).map(({ msg, reason }) => [msg, reason]),
    [
      ['support sign-in unavailable', 'no_answer'],
      ['support sign-in refused', 'access_denied'],
    ],
  )
})

test('a form without a session is refused, and not lost in a sign-in', async (t) => {
  const { post, signIn } = await desk(t)

  const { status, text } = await post('/support/user/unlock', { id: 'alice' })

  t.is(status, 403)
  t.true(text.includes('Your session is over'))
  t.is(signIn.begun, 0)
})

test('an id finds a challenge or a user, and nothing else', async (t) => {
  const { get, open } = await desk(t)
  const id = await open()

  t.is((await get(`/support/find?id=${id}`)).path, `/support/challenges/${id}`)
  t.is((await get(`/support/find?id=%20${id.toUpperCase()}%20`)).path, `/support/challenges/${id}`)
  t.is((await get('/support/find?id=alice')).path, '/support/user?id=alice')
  for (const wrong of ['nobody', '', '0197a000-0000-7000-8000-0000000000ff', '%00', 'a&id=b', '<script>']) {
    const { status, text } = await get(`/support/find?id=${wrong}`)
    t.is(status, 404, wrong)
    t.true(text.includes('No user and no challenge has this id.'))
  }
})

test('an address finds its users, and is in no URL, page or line', async (t) => {
  const { get, post, formToken, lines } = await desk(t)

  const { status, location } = await post('/support/find-address', {
    'form-token': await formToken(),
    address: ' Alice@Example.com ',
  })

  t.is(status, 303)
  t.regex(location!, /^\/support\/address\?hash=[0-9a-f]{64}$/)
  const { text } = await get(location!)
  t.true(text.includes('href="/support/user?id=alice"'))
  t.notRegex(`${location}${text}${JSON.stringify(lines)}`, /alice@/i)
  const hash = location!.split('hash=')[1]!.toUpperCase()
  const again = await post('/support/find-address', { 'form-token': await formToken(), address: hash })
  t.is(again.location, location)
})

test('an address of nobody is not found, and what is no address is refused without an echo', async (t) => {
  const { get, post, formToken } = await desk(t)
  const find = async (address: string) =>
    post('/support/find-address', { 'form-token': await formToken(), address })

  t.is((await get((await find('nobody@example.com')).location!)).status, 404)
  for (const wrong of ['', 'alice', 'a@b@c', 'x'.repeat(300)]) {
    const { status, text } = await find(wrong)
    t.is(status, 400, wrong)
    t.false(wrong !== '' && text.includes(`value="${wrong}"`))
  }
  t.is((await get('/support/address?hash=1')).status, 404)
})

test('the mark of a mail and its minute find the challenge', async (t) => {
  const { get, open, issue, store } = await desk(t)
  const id = await open()
  await issue(id)
  const mark = OtpIssuance.reference((await store.stepUps.load(id))!.issuance!)
  const find = (query: Record<string, string>) => get(`/support/find-mail?${new URLSearchParams(query)}`)

  const { status, text } = await find({ mark: mark.toLowerCase(), minute: '2030-01-01T12:01' })
  t.is(status, 200)
  t.true(text.includes(`href="/support/challenges/${id}"`))
  t.is((await find({ mark, minute: '2030-01-01T11:59' })).status, 404)
  for (const query of [{}, { mark }, { mark, minute: 'now' }, { mark: 'Q', minute: '2030-01-01T12:00' }])
    t.is((await find(query as Record<string, string>)).status, 400)
})

for (const minute of [
  '0000-01-01T00:00',
  '0001-01-01T00:00',
  '0999-12-31T23:59',
  '3000-01-01T00:00',
  '9999-12-31T23:59',
]) {
  test(`${minute} is no minute of a mail`, async (t) => {
    const { get } = await desk(t)
    t.is((await get(`/support/find-mail?${new URLSearchParams({ mark: 'QB', minute })}`)).status, 400)
  })
}

for (const after of [
  `999999999999999.${'0'.repeat(36)}`,
  `1893499200000.${'-'.repeat(36)}`,
  `1893499200000.${'a'.repeat(36)}`,
  `999999999999999.0197a000-0000-7000-8000-0000000000ff`,
]) {
  test(`no page begins after ${after}`, async (t) => {
    const { get, listed } = await desk(t)
    t.is((await get(`/support/user?id=alice&after=${after}`)).status, 200)
    t.deepEqual(listed, [undefined])
  })
}

test('a challenge past its retention still tells what happened', async (t) => {
  const { get, open, faults } = await desk(t)
  const id = await open()
  faults.review = new ChallengeNotFound(id)

  const { status, text } = await get(`/support/challenges/${id}`)

  t.is(status, 200)
  t.true(text.includes('its retention is over'))
  t.true(text.includes('The service payments asked for a confirmation of payments.initiate.'))
})

test('what does not exist is 404, and what does not answer 503, each as a page', async (t) => {
  const { get, faults } = await desk(t)

  for (const path of [
    '/support/user?id=nobody',
    '/support/user',
    '/support/challenges/x',
    '/support/nothing',
    '/support/',
  ])
    t.is((await get(path)).status, 404, path)
  faults.find = new DirectoryUnavailable('no answer')
  t.is((await get('/support/user?id=alice')).status, 503)
  faults.find = new StorageUnavailable('no answer')
  t.is((await get('/support/user?id=alice')).status, 503)
  faults.find = new Error('secret of the stack')
  const { status, text } = await get('/support/user?id=alice')
  t.is(status, 500)
  t.false(text.includes('secret of the stack'))
})

test('what an issuer or a service names is text on a page', async (t) => {
  const { get } = await desk(t)
  const { text } = await get('/support')

  t.true(text.includes('Sam &lt;Lee&gt;'))
  t.false(text.includes('<Lee>'))
})

test('every page forbids scripts, frames and foreign content, and is not kept', async (t) => {
  const { get, browser, origin } = await desk(t)
  await get('/support')

  for (const path of ['/support', '/support/nothing', '/support/signed-out']) {
    const { headers } = await browser.ask(`${origin}${path}`)
    const policy = headers.get('Content-Security-Policy')!
    t.regex(policy, /default-src 'none'/)
    t.regex(policy, /frame-ancestors 'none'/)
    t.notRegex(policy, /script-src|unsafe/)
    t.is(headers.get('Cache-Control'), 'no-store')
    t.is(headers.get('X-Content-Type-Options'), 'nosniff')
  }
})
