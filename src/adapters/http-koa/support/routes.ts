import { createHash } from 'node:crypto'
import Router from '@koa/router'
import type { Logger } from 'pino'
import type { ReviewChallenge } from '../../../application/challenges/review-challenge.ts'
import type { LiftSuppression } from '../../../application/mail/lift-suppression.ts'
import type { AuditTrail } from '../../../application/ports/audit-trail.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { FindMarkedChallenges } from '../../../application/support/find-marked-challenges.ts'
import type { FindSubject } from '../../../application/support/find-subject.ts'
import type { FindSubjectsOfMailbox } from '../../../application/support/find-subjects-of-mailbox.ts'
import type { ListChallenges } from '../../../application/support/list-challenges.ts'
import type { UnlockSubject } from '../../../application/support/unlock-subject.ts'
import { ChallengeNotFound } from '../../../domain/challenge.ts'
import { EmailAddress } from '../../../domain/email-address.ts'
import { IDENTITY } from '../../../domain/identity.ts'
import { UserNotFound } from '../../../domain/user.ts'
import type { Matched } from '../edge/state.ts'
import { SUPPORT } from '../paths.ts'
import type { AgentSessions } from './agent-sessions.ts'
import { type SupportState, show } from './answer.ts'
import {
  challengePage,
  challengePath,
  confirmationPage,
  isDone,
  markedPage,
  message,
  purgedPage,
  startPage,
  userPage,
  userPath,
  usersPage,
  type View,
} from './pages.ts'
import type { Times } from './times.ts'

interface SupportUseCases {
  readonly reviewChallenge: Pick<ReviewChallenge, 'execute'>
  readonly trail: Pick<AuditTrail, 'eventsOf'>
  readonly findSubject: Pick<FindSubject, 'execute'>
  readonly listChallenges: Pick<ListChallenges, 'execute'>
  readonly findMarkedChallenges: Pick<FindMarkedChallenges, 'execute'>
  readonly findSubjectsOfMailbox: Pick<FindSubjectsOfMailbox, 'execute'>
  readonly unlockSubject: Pick<UnlockSubject, 'execute'>
  readonly liftSuppression: Pick<LiftSuppression, 'execute'>
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const PLACE = /^(\d{1,14})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const CHALLENGES_ON_A_PAGE = 20
const MARK = /^[A-Za-z]{2}$/
const SHA_256 = /^[0-9a-f]{64}$/i

export interface SupportParts {
  readonly sessions: AgentSessions
  readonly times: Times
  readonly clock: Clock
  readonly useCases: SupportUseCases
  readonly logger: Logger
}

type SupportRouter = Router<SupportState, Matched>
type Context = Parameters<Parameters<SupportRouter['get']>[1]>[0]

/** The pages of an agent who is signed in. */
export function supportRoutes({ sessions, times, clock, useCases, logger }: SupportParts): SupportRouter {
  const router: SupportRouter = new Router({ sensitive: true, strict: true })

  const viewOf = (ctx: Context): View => ({ session: ctx.state.session, times, now: clock.now() })
  /** Every look leaves a line, with the agent in it. */
  const logLook = (ctx: Context, look: string) => {
    const { requestId, caller, subject, challengeId } = ctx.state
    logger.info({ requestId, caller, look, subject, challengeId }, 'support look')
  }

  router.get(SUPPORT, (ctx) => {
    show(ctx, 200, startPage(viewOf(ctx)))
  })

  router.get(`${SUPPORT}/find`, async (ctx) => {
    const id = one(ctx.query.id).trim()
    const challengeId = id.toLowerCase()
    if (UUID.test(challengeId) && (await useCases.trail.eventsOf(challengeId)).length > 0) {
      ctx.status = 303
      return ctx.redirect(challengePath(challengeId))
    }
    const found = IDENTITY.test(id) && (await isKnown(useCases, id))
    if (!found) return show(ctx, 404, startPage(viewOf(ctx), 'No user and no challenge has this id.'))
    ctx.status = 303
    ctx.redirect(userPath(id))
  })

  router.post(`${SUPPORT}/find-address`, (ctx) => {
    const hash = mailboxHash((ctx.state.form.get('address') ?? '').trim())
    if (hash === undefined)
      return show(ctx, 400, startPage(viewOf(ctx), 'That is no address, and no hash of one.'))
    ctx.status = 303
    ctx.redirect(`${SUPPORT}/address?${new URLSearchParams({ hash })}`)
  })

  router.get(`${SUPPORT}/address`, async (ctx) => {
    const hash = one(ctx.query.hash)
    const userIds = SHA_256.test(hash) ? await useCases.findSubjectsOfMailbox.execute(hash) : []
    logLook(ctx, 'address')
    if (userIds.length === 0)
      return show(ctx, 404, startPage(viewOf(ctx), 'No user with this address is known here.'))
    show(ctx, 200, usersPage(viewOf(ctx), userIds))
  })

  router.get(`${SUPPORT}/find-mail`, async (ctx) => {
    const [mark, minute] = [one(ctx.query.mark).trim(), times.minute(one(ctx.query.minute))]
    if (!MARK.test(mark) || !minute) {
      return show(
        ctx,
        400,
        startPage(viewOf(ctx), 'A mark has two letters, and a minute has a date and a time.'),
      )
    }
    const found = await useCases.findMarkedChallenges.execute({ mark, minute })
    logLook(ctx, 'mail')
    if (found.length === 0) {
      const nothing = 'No code with this mark was issued in that minute, or in the two minutes before.'
      return show(ctx, 404, startPage(viewOf(ctx), nothing))
    }
    show(ctx, 200, markedPage(viewOf(ctx), mark.toUpperCase(), found))
  })

  router.get(`${SUPPORT}/challenges/:challengeId`, async (ctx) => {
    const { challengeId } = ctx.params as { challengeId: string }
    if (!UUID.test(challengeId)) throw new ChallengeNotFound(challengeId)
    ctx.state.challengeId = challengeId
    try {
      const reviewed = await useCases.reviewChallenge.execute(challengeId)
      ctx.state.subject = reviewed.challenge.subjectUserId
      show(ctx, 200, challengePage(viewOf(ctx), reviewed))
    } catch (error) {
      if (!(error instanceof ChallengeNotFound)) throw error
      const [first, ...others] = await useCases.trail.eventsOf(challengeId)
      if (!first) throw error
      ctx.state.subject = first.subjectUserId
      show(ctx, 200, purgedPage(viewOf(ctx), challengeId, [first, ...others]))
    }
    logLook(ctx, 'challenge')
  })

  router.get(`${SUPPORT}/user`, async (ctx) => {
    const userId = userIdOf(ctx, one(ctx.query.id))
    const [, expiresAt, id] = PLACE.exec(one(ctx.query.after)) ?? []
    const after = id === undefined ? undefined : { expiresAt: new Date(Number(expiresAt)), id }
    const [subject, page] = await Promise.all([
      useCases.findSubject.execute(userId),
      useCases.listChallenges.execute({ subjectUserId: userId, after, limit: CHALLENGES_ON_A_PAGE }),
    ])
    logLook(ctx, 'user')
    const done = await sessions.takeDone(ctx, userId)
    show(ctx, 200, userPage(viewOf(ctx), subject, page, isDone(done) ? done : undefined))
  })

  for (const action of ['unlock', 'lift'] as const) {
    const path = `${SUPPORT}/user/${action}`

    router.get(path, (ctx) => {
      if (!mayWrite(ctx)) return
      show(ctx, 200, confirmationPage(ctx.state.session, action, userIdOf(ctx, one(ctx.query.id))))
    })

    router.post(path, async (ctx) => {
      if (!mayWrite(ctx)) return
      const userId = userIdOf(ctx, ctx.state.form.get('id') ?? '')
      const { origin, requestId, caller: actor = '' } = ctx.state
      const command = { userId, actor, origin }
      if (action === 'lift') await useCases.liftSuppression.execute(command)
      const isDone = action === 'lift' || (await useCases.unlockSubject.execute(command))
      const done = action === 'lift' ? 'lifted' : isDone ? 'unlocked' : 'not-locked'
      logger.info({ requestId, caller: actor, subject: userId, done }, 'support action')
      await sessions.keepDone(ctx, userId, done)
      ctx.status = 303
      ctx.redirect(userPath(userId))
    })
  }

  router.post(`${SUPPORT}/sign-out`, (ctx) => {
    sessions.end(ctx)
    const { requestId, caller } = ctx.state
    logger.info({ requestId, caller }, 'support sign-out')
    ctx.status = 303
    ctx.redirect(`${SUPPORT}/signed-out`)
  })

  return router
}

/** Whether the agent may change something. Otherwise the page says so. */
function mayWrite(ctx: Context): boolean {
  const { session } = ctx.state
  if (session.agent.mayWrite) return true
  ctx.state.refusal = 'role'
  show(
    ctx,
    403,
    message('You may only read', 'Your account has no role that allows this.', undefined, session),
  )
  return false
}

async function isKnown({ findSubject }: SupportUseCases, userId: string): Promise<boolean> {
  try {
    await findSubject.execute(userId)
    return true
  } catch (error) {
    if (error instanceof UserNotFound) return false
    throw error
  }
}

/** @throws {UserNotFound} if the text cannot be the id of a user. */
function userIdOf(ctx: Context, text: string): string {
  if (!IDENTITY.test(text)) throw new UserNotFound()
  ctx.state.subject = text
  return text
}

/** The hash of a mailbox, from its address or from itself. Undefined if the text is neither. */
function mailboxHash(text: string): string | undefined {
  if (SHA_256.test(text)) return text.toLowerCase()
  const mailbox = EmailAddress.mailboxNamed(text)
  return mailbox && createHash('sha256').update(mailbox).digest('hex')
}

/** A parameter of a query that is there once. */
function one(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : ''
}
