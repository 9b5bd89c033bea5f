import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { clientCredentials } from '../../packages/kit/src/client-credentials.ts'
import { listening } from '../http/listening.ts'

const SECRET = 's:e cret%ü'

/** A source of tokens of an endpoint that gives these answers, the last of them from then on. */
async function sourceOf(
  t: ExecutionContext,
  answers: readonly { status?: number; body: unknown }[],
  parameters?: Record<string, string>,
) {
  const asked: { authorization: string | undefined; body: string }[] = []
  const server = createServer(async (request, response) => {
    asked.push({ authorization: request.headers.authorization, body: await text(request) })
    const { status = 200, body } = answers[Math.min(asked.length, answers.length) - 1]!
    response
      .writeHead(status, status === 302 ? { Location: '/elsewhere' } : {})
      .end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const tokenUrl = `${await listening(t, server)}/token`
  const scope = 'mfa:challenges:create mfa:challenges:consume'
  return {
    source: clientCredentials({
      ...{ tokenUrl, clientId: 'pay:ments', clientSecret: SECRET, scope },
      ...(parameters && { parameters }),
    }),
    asked,
  }
}

const granted = (token: string, expiresIn?: number) => ({
  body: {
    access_token: token,
    token_type: 'Bearer',
    ...(expiresIn !== undefined && { expires_in: expiresIn }),
  },
})

test('all who wait share one token, until shortly before its end', async (t) => {
  const { source, asked } = await sourceOf(t, [granted('one', 300), granted('two', 300)])

  t.deepEqual(await Promise.all([source(), source(), source()]), ['one', 'one', 'one'])
  t.is(await source(), 'one')
  t.is(asked.length, 1)
})

test('a token that ends too soon to be sent, or does not say when, is used by those who waited for it', async (t) => {
  for (const lifetime of [29, undefined]) {
    const { source } = await sourceOf(t, [granted('one', lifetime), granted('two', lifetime)])

    t.is(await source(), 'one')
    t.is(await source(), 'two')
  }
})

test('the client names itself as RFC 6749 has it', async (t) => {
  const { source, asked } = await sourceOf(t, [granted('one', 300)])

  await source()

  const [id, secret] = atob(asked[0]!.authorization!.replace('Basic ', '')).split(':')
  t.is(id, 'pay%3Aments')
  t.is(secret, 's%3Ae+cret%25%C3%BC')
  t.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]!.body)), {
    grant_type: 'client_credentials',
    scope: 'mfa:challenges:create mfa:challenges:consume',
  })
})

test('a provider gets the parameters that it asks for besides, which replace none of the grant', async (t) => {
  const parameters = { audience: 'https://countersign.bank.example', grant_type: 'password', scope: 'all' }
  const { source, asked } = await sourceOf(t, [granted('one', 300)], parameters)

  await source()

  t.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]!.body)), {
    audience: 'https://countersign.bank.example',
    grant_type: 'client_credentials',
    scope: 'mfa:challenges:create mfa:challenges:consume',
  })
})

test('a failure is not held, and says nothing of what was sent or answered', async (t) => {
  const failures = [
    { status: 401, body: { error: `wrong ${SECRET}` } },
    { status: 302, body: '' },
    { body: '<html>' },
    { body: { access_token: 'mac', token_type: 'mac' } },
  ]
  const { source, asked } = await sourceOf(t, [...failures, granted('one', 300)])

  for (const _ of failures) {
    const { message } = (await t.throwsAsync(source()))!
    t.false(message.includes(SECRET) || message.includes('mac'))
  }
  t.is(await source(), 'one')
  t.is(asked.length, 5)
})
