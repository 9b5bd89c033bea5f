import Router from '@koa/router'
import type { ChallengeSigner } from '../../application/ports/challenge-signer.ts'
import type { HealthCheck } from '../../application/ports/health-check.ts'
import { errorBody } from './error-body.ts'
import { outcomesOf } from './outcomes.ts'
import { Refusal } from './refusal.ts'
import type { AliveBody, NotReadyBody, ReadyBody } from './service-api.ts'

/** What those who run the service and those who check its signatures ask for. */
export function serviceRoutes(
  checks: readonly HealthCheck[],
  signer: Pick<ChallengeSigner, 'publicKeys'>,
): Router {
  const router = new Router({ sensitive: true, strict: true })

  /** The process lives. Asks nothing of the database: restarting this process would not mend that. */
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'alive' } satisfies AliveBody
  })

  router.get('/readyz', async (ctx) => {
    const problems = await Promise.all(checks.map((check) => check.problem()))
    const results = Object.fromEntries(checks.map(({ name }, index) => [name, problems[index] ?? 'ok']))
    if (problems.every((problem) => problem === undefined)) {
      ctx.body = { status: 'ready', checks: results } satisfies ReadyBody
      return
    }
    const refusal = new Refusal('unavailable')
    ctx.status = 503
    ctx.body = {
      ...errorBody(outcomesOf(ctx.path), refusal, ctx.state.requestId),
      checks: results,
    } satisfies NotReadyBody
  })

  router.get('/.well-known/jwks.json', (ctx) => {
    ctx.body = signer.publicKeys()
  })

  return router
}
