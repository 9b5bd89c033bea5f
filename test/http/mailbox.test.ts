import { createHash, randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import type { Mailbox, MailboxMessage } from '../../src/development/mailbox.ts'
import { developmentRoutes } from '../../src/development/routes.ts'
import { afterNoon } from '../domain/examples.ts'
import { ask, call } from '../support/http-call.ts'
import { isError } from './edge.ts'
import { listening } from './listening.ts'

/** What a browser sends. */
const BROWSER = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8' }

const mail = (differences: Partial<MailboxMessage> = {}): MailboxMessage => ({
  id: randomUUID(),
  to: 'alice@example.com',
  subject: 'Your confirmation code (QK)',
  text: 'Your code: 042917',
  html: '<p>Your code: <b>042917</b></p>',
  sentAt: afterNoon(0),
  ...differences,
})

/** A mailbox of these mails, newest first, served until the test ends. */
async function served(t: ExecutionContext, mails: MailboxMessage[]) {
  const mailbox: Mailbox = {
    list: async (to) => mails.filter((each) => to === undefined || each.to === to),
    find: async (id) => mails.find((each) => each.id === id),
  }
  const server = createHttpServer(
    [developmentRoutes(mailbox, undefined)],
    new InFlightRequests(),
    pino({ level: 'silent' }),
  )
  const url = await listening(t, server)
  return {
    url,
    page: async (path = '/dev/mailbox') => {
      const response = await ask(url, 'GET', path, { headers: BROWSER })
      return { response, html: response.text }
    },
  }
}

/** The hash under which a policy allows what stands between these tags. */
const hashOf = (html: string, tag: 'style' | 'script') => {
  const [, content] = new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, 's').exec(html)!
  return `'sha256-${createHash('sha256').update(content!).digest('base64')}'`
}

for (const accept of [undefined, '*/*', 'application/json', 'application/json, text/html', 'image/png']) {
  test(`whoever accepts ${accept} gets the mails as JSON, newest first`, async (t) => {
    const mails = [mail({ subject: 'second', sentAt: afterNoon(30) }), mail({ subject: 'first' })]
    const { url } = await served(t, mails)

    const { body, headers } = await call(url, 'GET', '/dev/mailbox', {
      headers: accept === undefined ? {} : { Accept: accept },
    })

    t.deepEqual(body, JSON.parse(JSON.stringify(mails)))
    t.is(headers.get('Vary'), 'Accept')
  })
}

test('the JSON may be of one recipient', async (t) => {
  const { url } = await served(t, [mail({ to: 'bob@example.com' }), mail()])

  const { body } = await call(url, 'GET', '/dev/mailbox?to=bob%40example.com&to=alice%40example.com')

  t.deepEqual(
    body.map(({ to }: MailboxMessage) => to),
    ['bob@example.com'],
  )
})

test('a browser gets a page with recipient, subject and time of each mail, newest first and open', async (t) => {
  const newest = mail({ to: 'bob@example.com', subject: 'Code (AB)', sentAt: afterNoon(30) })
  const { page } = await served(t, [newest, mail({ subject: 'Code (CD)' })])

  const { html, response } = await page()

  t.is(response.headers.get('Content-Type'), 'text/html; charset=utf-8')
  t.is(response.headers.get('Vary'), 'Accept')
  t.true(html.indexOf('Code (AB)') < html.indexOf('Code (CD)'))
  for (const shown of ['bob@example.com', 'alice@example.com', newest.sentAt.toISOString()]) {
    t.true(html.includes(shown), shown)
  }
  t.true(html.includes(`<iframe sandbox title="The mail" src="/dev/mailbox/${newest.id}">`))
})

test('a page opens the mail that is chosen, also as plain text', async (t) => {
  const chosen = mail({ text: 'the text' })
  const { page } = await served(t, [mail(), chosen])

  t.true((await page(`/dev/mailbox?id=${chosen.id}`)).html.includes(`src="/dev/mailbox/${chosen.id}"`))
  const { html } = await page(`/dev/mailbox?id=${chosen.id}&view=text`)
  t.regex(html, /<pre dir="auto">\nthe text<\/pre>/)
  t.false(html.includes('<iframe'))
})

test('a page over no mails says so', async (t) => {
  const { page } = await served(t, [mail()])

  t.regex((await page('/dev/mailbox?to=bob%40example.com')).html, /No mail to bob@example\.com/)
  t.false((await page('/dev/mailbox?to=')).html.includes('No mail'))
})

test('a page is allowed its own style and its own script, and nothing else', async (t) => {
  const { page } = await served(t, [mail()])

  const { html, response } = await page()

  t.is(
    response.headers.get('Content-Security-Policy'),
    [
      "default-src 'none'",
      `style-src ${hashOf(html, 'style')}`,
      `script-src ${hashOf(html, 'script')}`,
      "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    ].join('; '),
  )
  t.is(html.match(/<script/g)?.length, 1)
  t.notRegex(html, /\son\w+=|\sstyle=|javascript:/)
})

test('the page of another newest mail has another tag, which the page knows of itself', async (t) => {
  const mails = [mail()]
  const { url, page } = await served(t, mails)
  const head = () => ask(url, 'HEAD', '/dev/mailbox', { headers: { Accept: 'text/html' } })

  const { html, response } = await page()
  const before = (await head()).headers.get('ETag')
  mails.unshift(mail())
  const after = (await head()).headers.get('ETag')

  t.is(before, response.headers.get('ETag'))
  t.true(html.includes(`data-state="${before!.replaceAll('"', '&quot;')}"`))
  t.not(after, before)
})

const HOSTILE = `</pre></title>"><script>alert('1')</script><img src=x onerror=alert(2)>`

for (const view of ['html', 'text']) {
  test(`a mail full of markup is text to the page (${view})`, async (t) => {
    const hostile = mail({ to: HOSTILE, subject: HOSTILE, text: HOSTILE, html: HOSTILE })
    const { page } = await served(t, [hostile])

    const { html } = await page(`/dev/mailbox?view=${view}&to=${encodeURIComponent(HOSTILE)}`)

    t.true(html.includes('&lt;script&gt;alert(&#39;1&#39;)'))
    t.notRegex(html, /<script>alert|<img/)
    t.is(html.match(/<script/g)?.length, 1)
  })
}

test('the HTML of a mail is served as it was sent, without script, origin, or anything from elsewhere but pictures', async (t) => {
  const hostile = mail({ html: HOSTILE })
  const { page } = await served(t, [hostile])

  const { html, response } = await page(`/dev/mailbox/${hostile.id}`)

  t.is(html, HOSTILE)
  t.is(
    response.headers.get('Content-Security-Policy'),
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
  )
  t.is(response.headers.get('X-Content-Type-Options'), 'nosniff')
  t.is(response.headers.get('Referrer-Policy'), 'no-referrer')
})

test('a mail that is not there is RESOURCE_UNKNOWN', async (t) => {
  const { url } = await served(t, [mail()])

  isError(t, await call(url, 'GET', `/dev/mailbox/${randomUUID()}`), 404, 'RESOURCE_UNKNOWN')
})

test('a mailbox that cannot be read is a 500', async (t) => {
  const broken = () => Promise.reject(new Error('broken'))
  const routes = developmentRoutes({ list: broken, find: broken }, undefined)
  const url = await listening(
    t,
    createHttpServer([routes], new InFlightRequests(), pino({ level: 'silent' })),
  )

  for (const path of ['/dev/mailbox', `/dev/mailbox/${randomUUID()}`]) {
    isError(t, await call(url, 'GET', path), 500, 'INTERNAL_SERVER_ERROR')
  }
})

test('without a mailbox there is no page', async (t) => {
  const server = createHttpServer(
    [developmentRoutes(undefined, undefined)],
    new InFlightRequests(),
    pino({ level: 'silent' }),
  )
  const url = await listening(t, server)

  for (const path of ['/dev/mailbox', `/dev/mailbox/${randomUUID()}`]) {
    isError(t, await call(url, 'GET', path, { headers: BROWSER }), 404, 'RESOURCE_UNKNOWN')
  }
})
