import type { ChallengeSigner } from '../../../application/ports/challenge-signer.ts'
import { errorBody, RETRY_AFTER_OUTAGE } from '../edge/error-body.ts'
import { SERVICE_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import type { Readiness } from '../edge/readiness.ts'
import { createRouter, type EdgeRouter } from '../edge/router.ts'
import { HEALTHZ, JWKS, READYZ } from '../paths.ts'
import type { AliveBody, NotReadyBody, ReadyBody } from './openapi.ts'

/** The routes for operators, and for those who check our signatures. */
export function serviceRoutes(
  readiness: Pick<Readiness, 'report'>,
  signer: Pick<ChallengeSigner, 'publicKeys'>,
): EdgeRouter {
  const router = createRouter({ errors: SERVICE_ERRORS })

  // Does not ask the database: a restart of this process would not repair that.
  router.get(HEALTHZ, (ctx) => {
    ctx.body = { status: 'alive' } satisfies AliveBody
  })

  router.get(READYZ, async (ctx) => {
    const { ready, checks } = await readiness.report()
    if (ready) {
      ctx.body = { status: 'ready', checks } satisfies ReadyBody
      return
    }
    ctx.status = 503
    ctx.set(RETRY_AFTER_OUTAGE)
    ctx.body = {
      ...errorBody(SERVICE_ERRORS, new HttpError('unavailable'), ctx.state.requestId),
      checks,
    } satisfies NotReadyBody
  })

  router.get(JWKS, (ctx) => {
    ctx.body = signer.publicKeys()
  })

  return router
}
