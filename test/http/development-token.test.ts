import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import type { Caller } from '../../src/application/ports/access-tokens.ts'
import { developmentRoutes } from '../../src/development/routes.ts'
import type { TokenIssuer } from '../../src/development/token-issuer.ts'
import { type CallInit, call } from '../support/http-call.ts'
import { isError } from './edge.ts'
import { listening } from './listening.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** `/dev/token` over an issuer that says for whom a token was asked. */
async function served(
  t: ExecutionContext,
  issue: TokenIssuer['issue'] = async () => ({ accessToken: 'the token', expiresInSeconds: 60 }),
) {
  const callers: Caller[] = []
  const issuer: TokenIssuer = {
    issue: (caller) => {
      callers.push(caller)
      return issue(caller)
    },
  }
  const routes = developmentRoutes(undefined, issuer)
  const url = await listening(
    t,
    createHttpServer([routes], new InFlightRequests(), pino({ level: 'silent' })),
  )
  return { callers, ask: (init: CallInit) => call(url, 'POST', '/dev/token', init) }
}

test('whoever asks gets a token for any user and any client', async (t) => {
  const { ask, callers } = await served(t)

  const { status, body } = await ask({ json: { sub: 'alice' } })
  await ask({ json: { client_id: 'payments', scope: 'a b' } })

  t.is(status, 200)
  t.deepEqual(body, { access_token: 'the token', token_type: 'Bearer', expires_in: 60 })
  t.deepEqual(callers, [
    { kind: 'user', userId: 'alice' },
    { kind: 'client', clientId: 'payments', scopes: new Set(['a', 'b']) },
  ])
})

test('a token for nobody, a body that is too large or not JSON, and an issuer that fails have the errors of all routes', async (t) => {
  const { ask } = await served(t, () => Promise.reject(new Error('broken')))

  t.is((await ask({ json: { sub: '' } })).body.code, 'urn:plmr:mfa-totp:api:BAD_REQUEST')
  isError(t, await ask({ headers: JSON_TYPE, body: ' '.repeat(17 * 1024) }), 413, 'BAD_REQUEST')
  isError(t, await ask({ body: 'sub=alice' }), 415, 'BAD_REQUEST')
  isError(t, await ask({ json: { sub: 'alice' } }), 500, 'INTERNAL_SERVER_ERROR')
})
