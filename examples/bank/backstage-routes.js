import Router from '@koa/router'
import bodyParser from 'koa-bodyparser'
import { z } from 'zod'
import { developmentToken } from './access-token.ts'
import { TROUBLES, visitOf } from './visits.ts'

const TroubleChosen = z.strictObject({ trouble: z.enum(TROUBLES) })
const Opened = z.object({ challengeId: z.string() })
/** What a visitor sees behind the scenes, and what they may let go wrong there. No integrator has any of this. */
export function backstageRoutes(countersignUrl, visits, directory) {
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
    await directory.tell(visit)
    ctx.status = 204
  })
  /** What the bank and Countersign said to each other for this visitor, and how the newest challenge stands. */
  router.get('/scene', async (ctx) => {
    const { conversation, trouble, address } = visitOf(ctx)
    ctx.state.routine = true
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
/** Past the conversation: looking changes nothing, and is not part of it. */
async function challengeSeen(countersignUrl, challengeId) {
  const token = await developmentToken(countersignUrl, {
    client_id: 'payments',
    scope: 'mfa:challenges:create mfa:audit:read',
  })
  const read = async (path) => {
    const response = await fetch(new URL(`/internal/v1/mfa/challenges/${path}`, countersignUrl), {
      headers: { Authorization: `Bearer ${token}` },
    })
    return await response.json()
  }
  const [challenge, trail] = await Promise.all([read(challengeId), read(`${challengeId}/events`)])
  return { ...challenge, ...trail }
}
