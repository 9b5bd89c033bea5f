import test from 'ava'
import type { Context } from 'koa'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'

const CONTEXT = {} as Context

test('a request is under way until it is answered', async (t) => {
  const requests = new InFlightRequests()
  const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  t.is(requests.inFlight(), 0)

  const [first, second] = answers.map(({ promise }) => requests.middleware()(CONTEXT, () => promise))
  t.is(requests.inFlight(), 2)

  answers[0]!.resolve()
  await first
  t.is(requests.inFlight(), 1)
  answers[1]!.resolve()
  await second
  t.is(requests.inFlight(), 0)
})

test('a request that breaks is no longer under way', async (t) => {
  const requests = new InFlightRequests()

  await t.throwsAsync(
    requests.middleware()(CONTEXT, async () => {
      throw new Error('connection lost')
    }),
  )

  t.is(requests.inFlight(), 0)
})
