import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import test from 'ava'
import Koa from 'koa'
import {
  errorTableNear,
  INITIATE_ERRORS,
  OPERATION_SERVICE_ERRORS,
  SERVICE_ERRORS,
  VERIFY_ERRORS,
  WEBHOOK_ERRORS,
} from '../../src/adapters/http-koa/edge/error-table.ts'
import {
  answerErrorsBy,
  createRouter,
  type EdgeRouter,
  pattern,
} from '../../src/adapters/http-koa/edge/router.ts'
import type { EdgeState, Matched } from '../../src/adapters/http-koa/edge/state.ts'

/** The state of a request once the router has handled it. */
async function stateAfter(router: EdgeRouter, path: string): Promise<EdgeState> {
  const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: path })
  const ctx = new Koa<EdgeState, Matched>().createContext<EdgeState>(request, new ServerResponse(request))
  await router.routes()(ctx as unknown as Parameters<ReturnType<EdgeRouter['routes']>>[0], async () => {})
  return ctx.state
}

test('a route has the error table of its router, and a route with a table of its own has that', async (t) => {
  const router = createRouter({ errors: INITIATE_ERRORS })
  router.get('/one', (ctx) => {
    ctx.status = 204
  })
  router.get('/other', answerErrorsBy(VERIFY_ERRORS), (ctx) => {
    ctx.status = 204
  })

  t.is((await stateAfter(router, '/one')).errors, INITIATE_ERRORS)
  t.is((await stateAfter(router, '/other')).errors, VERIFY_ERRORS)
})

test('a request that matches no route has no error table, and gets that of the nearest path', async (t) => {
  const router = createRouter({ errors: INITIATE_ERRORS })
  router.get('/one', (ctx) => {
    ctx.status = 204
  })

  t.is((await stateAfter(router, '/two')).errors, undefined)
  t.is(errorTableNear('/internal/v1/mfa/challenges/x/y'), OPERATION_SERVICE_ERRORS)
  t.is(errorTableNear('/internal/v1/mfa/users'), OPERATION_SERVICE_ERRORS)
  t.is(errorTableNear('/webhooks/other'), WEBHOOK_ERRORS)
  t.is(errorTableNear('/internal/v1/mfa/userships'), SERVICE_ERRORS)
})

for (const [path, spelling] of [
  ['/users', '/users'],
  ['/users/{userId}', '/users/:userId'],
  ['/users/{userId}/mails/{mailId}', '/users/:userId/mails/:mailId'],
  ['/users/{userId}:lock', '/users/:userId\\:lock'],
] as const) {
  test(`the router spells ${path} as ${spelling}`, (t) => {
    t.is(pattern(path), spelling)
  })
}

test('what the state of a request does not have does not compile in a route', (t) => {
  const router = createRouter({ errors: INITIATE_ERRORS })
  router.get('/one', (ctx) => {
    const requestId: string = ctx.state.origin.requestId
    // @ts-expect-error An origin is no text: it is not `any`.
    const origin: string = ctx.state.origin
    // @ts-expect-error There is no such member.
    ctx.state.sbject = requestId + origin
    // @ts-expect-error Nor is there one of the context.
    ctx.orgin = undefined
  })
  t.pass()
})
