import Router from '@koa/router'
import type { ChallengeSigner } from '../../../application/ports/challenge-signer.ts'
import { errorBody, RETRY_AFTER_OUTAGE } from '../edge/error-body.ts'
import { outcomesOf } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import type { Readiness } from '../edge/readiness.ts'
import type { AliveBody, NotReadyBody, ReadyBody } from './openapi.ts'

/** What those who run the service and those who check its signatures ask for. */
export function serviceRoutes(
  readiness: Pick<Readiness, 'report'>,
  signer: Pick<ChallengeSigner, 'publicKeys'>,
): Router {
  const router = new Router({ sensitive: true, strict: true })

  /** The process lives. Asks nothing of the database: restarting this process would not mend that. */
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'alive' } satisfies AliveBody
  })

  router.get('/readyz', async (ctx) => {
    const { ready, checks } = await readiness.report()
    if (ready) {
      ctx.body = { status: 'ready', checks } satisfies ReadyBody
      return
    }
    const refusal = new HttpError('unavailable')
    ctx.status = 503
    ctx.set(RETRY_AFTER_OUTAGE)
    ctx.body = {
      ...errorBody(outcomesOf(ctx.path), refusal, ctx.state.requestId),
      checks,
    } satisfies NotReadyBody
  })

  router.get('/.well-known/jwks.json', (ctx) => {
    ctx.body = signer.publicKeys()
  })

  return router
}
