import Router from '@koa/router'
import bodyParser from 'koa-bodyparser'
import { z } from 'zod'
import { developmentToken } from './access-token.ts'
import type { CustomerDirectory } from './customer-directory.ts'
import { TROUBLES, type Visits, visitOf } from './visits.ts'

const TroubleChosen = z.strictObject({ trouble: z.enum(TROUBLES) })
const Opened = z.object({ challengeId: z.string() })

/** Shows a visitor what happens behind the scenes, and lets them make things go wrong. An integrator needs none of it. */
export function backstageRoutes(
  countersignUrl: string,
  visits: Visits,
  directory: CustomerDirectory,
): Router {
  const router = new Router({ prefix: '/backstage', sensitive: true, strict: true })
  router.use(visits.required())

  router.put('/trouble', bodyParser(), async (ctx) => {
    const { data } = TroubleChosen.safeParse(ctx.request.body)
    if (!data) {
      ctx.status = 400
      ctx.body = { code: 'BAD_REQUEST', message: `trouble is one of ${TROUBLES.join(', ')}` }
      return
    }
    const visit = visitOf(ctx)
    visit.trouble = data.trouble
    await directory.update(visit)
    ctx.status = 204
  })

  /** The calls from the bank to Countersign for this visitor, and the state of the newest challenge. */
  router.get('/scene', async (ctx) => {
    const { conversation, trouble, address } = visitOf(ctx)
    ctx.state.polling = true
    const opened = conversation.exchanges.map(({ answer }) => Opened.safeParse(answer).data?.challengeId)
    const challengeId = opened.findLast((id) => id !== undefined)
    ctx.body = {
      trouble,
      address,
      exchanges: conversation.exchanges,
      challenge: challengeId && (await challengeSeen(countersignUrl, challengeId)),
    }
  })

  return router
}

/** Reads a challenge without adding these calls to the visitor's conversation. */
async function challengeSeen(countersignUrl: string, challengeId: string): Promise<object> {
  const token = await developmentToken(countersignUrl, {
    client_id: 'payments',
    scope: 'mfa:challenges:create mfa:audit:read',
  })
  const read = async (path: string) => {
    const response = await fetch(new URL(`/internal/v1/mfa/challenges/${path}`, countersignUrl), {
      headers: { Authorization: `Bearer ${token}` },
    })
    return (await response.json()) as object
  }
  const [challenge, trail] = await Promise.all([read(challengeId), read(`${challengeId}/events`)])
  return { ...challenge, ...trail }
}
