import Router from '@koa/router'
import bodyParser from 'koa-bodyparser'
import { z } from 'zod'
import { developmentToken } from './access-token.ts'
import type { ChallengeEvents } from './challenge-events.ts'
import type { CustomerDirectory } from './customer-directory.ts'
import { TROUBLES, type Visit, type Visits, visitOf } from './visits.ts'

const TroubleChosen = z.strictObject({ trouble: z.enum(TROUBLES) })
/** A challenge as it was once read. */
interface Reading {
  readonly asOf: string
  readonly challenge: object
}

const Opened = z.object({ challengeId: z.string() })

/** Shows a visitor what happens behind the scenes, and lets them make things go wrong. An integrator needs none of it. */
export function backstageRoutes(
  countersignUrl: string,
  visits: Visits,
  directory: CustomerDirectory,
  events: ChallengeEvents,
): Router {
  const router = new Router({ prefix: '/backstage', sensitive: true, strict: true })
  const readings = new WeakMap<Visit, Reading>()
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

  /** The calls from the bank to Countersign for this visitor, and the state and the events of the newest challenge. */
  router.get('/scene', async (ctx) => {
    const visit = visitOf(ctx)
    const { conversation, trouble, address } = visit
    ctx.state.polling = true
    const opened = conversation.exchanges.map(({ answer }) => Opened.safeParse(answer).data?.challengeId)
    const challengeId = opened.findLast((id) => id !== undefined)
    const reports = challengeId === undefined ? [] : events.of(challengeId)
    // Nothing can have changed without an event, or a call of the bank's own.
    const asOf = `${challengeId} ${reports.length} ${conversation.exchanges.length}`
    if (challengeId !== undefined && readings.get(visit)?.asOf !== asOf) {
      readings.set(visit, { asOf, challenge: await challengeSeen(countersignUrl, challengeId) })
    }
    ctx.body = {
      trouble,
      address,
      exchanges: conversation.exchanges,
      challenge: readings.get(visit)?.challenge,
      reports: reports.map(({ id, type, at }) => ({ id, type, at })),
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
