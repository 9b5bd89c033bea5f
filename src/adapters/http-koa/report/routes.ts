import type { Next } from 'koa'
import type { Logger } from 'pino'
import getRawBody from 'raw-body'
import type { ReportChallenge, ReportOutcome } from '../../../application/challenges/report-challenge.ts'
import type {
  ReviewedMail,
  ReviewReportedMail,
} from '../../../application/challenges/review-reported-mail.ts'
import type { ReportLinks } from '../../../application/ports/report-links.ts'
import type { PageReader, ReportPage, ReportPages } from '../../../contracts/report-pages.ts'
import { isOutage, RETRY_AFTER_OUTAGE } from '../edge/error-body.ts'
import { SERVICE_ERRORS } from '../edge/error-table.ts'
import { createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import type { EdgeContext, RouteContext } from '../edge/state.ts'
import { REPORT } from '../paths.ts'
import type { PageProof } from './page-proof.ts'
import { Visits } from './visits.ts'

export interface ReportPageParts {
  readonly pages: ReportPages
  readonly links: Pick<ReportLinks, 'mailOf'>
  readonly proof: PageProof
  /** Where readers see the page. */
  readonly publicUrl: string
  readonly visits?: Visits
}

export interface ReportUseCases {
  readonly reviewReportedMail: Pick<ReviewReportedMail, 'execute'>
  readonly reportChallenge: Pick<ReportChallenge, 'execute'>
}

/** The form has two short fields. */
const LIMIT_IN_BYTES = 1024
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:\s*;|$)/i
const RETRY_AFTER_VISITS = { 'Retry-After': '60' }

/**
 * The page on which the reader of a mail reports that an operation was not theirs. A GET changes nothing: scanners,
 * prefetching browsers and image proxies follow links. The form counts only with the proof that the page has.
 *
 * Every answer of these routes is a page, because people read it. The path has the token, so nothing logs it.
 */
export function reportRoutes(parts: ReportPageParts, useCases: ReportUseCases, logger: Logger): EdgeRouter {
  const { pages, links, proof, publicUrl, visits = new Visits() } = parts
  const { origin: publicOrigin } = new URL(publicUrl)
  const router = createRouter({ errors: SERVICE_ERRORS })
  const path = pattern(`${REPORT}/{token}`)

  const show = (ctx: EdgeContext, status: number, page: ReportPage, reader: PageReader = {}) => {
    const locale = reader.locale ?? languageOf(ctx, pages.languages)
    const { html, policy } = pages.page(page, { ...reader, locale })
    ctx.status = status
    ctx.type = 'text/html'
    ctx.set('Content-Security-Policy', policy)
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
    ctx.set('X-Robots-Tag', 'noindex, nofollow')
    ctx.body = html
  }

  const asPage = async (ctx: RouteContext, next: Next) => {
    try {
      await next()
    } catch (error) {
      const outage = isOutage(error)
      logger.error({ err: error, requestId: ctx.state.requestId }, 'request failed')
      if (outage) ctx.set(RETRY_AFTER_OUTAGE)
      show(ctx, outage ? 503 : 500, { kind: 'busy' })
    }
  }

  /** Answers by itself unless the link is ours and not visited too often. */
  const ours = async (ctx: RouteContext, next: Next) => {
    const { token } = ctx.params
    if (!links.mailOf(token!)) return show(ctx, 404, { kind: 'unknown' })
    if (visits.admit(token!)) return next()
    ctx.set(RETRY_AFTER_VISITS)
    show(ctx, 429, { kind: 'busy' })
  }

  const ask = (ctx: RouteContext, mail: ReviewedMail, isAgain: boolean) => {
    const { status, summary, createdAt, endsOthers, locale, clientId } = mail
    const reader = { locale, clientId }
    if (mail.isReported) return show(ctx, 200, { kind: 'already', othersEnded: false }, reader)
    const asking = { status, summary, createdAt, endsOthers, isAgain, proof: proof.for(ctx.params.token!) }
    show(ctx, isAgain ? 403 : 200, { kind: 'ask', ...asking }, reader)
  }

  const review = async (ctx: RouteContext, isAgain: boolean) => {
    const mail = await useCases.reviewReportedMail.execute(ctx.params.token!)
    if (!mail) return show(ctx, 404, { kind: 'unknown' })
    ctx.state.challengeId = mail.challengeId
    ask(ctx, mail, isAgain)
  }

  router.get(path, asPage, ours, (ctx) => review(ctx, false))

  router.post(path, asPage, ours, async (ctx) => {
    const token = ctx.params.token!
    const form = await formOf(ctx)
    const isFromPage = isSameSite(ctx, publicOrigin) && proof.accepts(form?.get('proof') ?? '', token)
    if (!form || !isFromPage) return review(ctx, true)

    const { origin } = ctx.state
    const endOthers = form.get('others') === 'yes'
    const outcome = await useCases.reportChallenge.execute({ token, endOthers, origin })
    if (!outcome) return show(ctx, 404, { kind: 'unknown' })
    ctx.state.challengeId = outcome.challengeId
    show(ctx, 200, pageAfter(outcome), outcome)
  })

  return router
}

function pageAfter({ isFirst, statusBefore, othersEnded }: ReportOutcome): ReportPage {
  const ended = { othersEnded: (othersEnded ?? 0) > 0 }
  return isFirst ? { kind: 'reported', statusBefore, ...ended } : { kind: 'already', ...ended }
}

/**
 * Whether the browser says that another site sent the form. One that sends no such header is judged by the proof alone. The page asks
 * for no referrer, so its own origin comes as `null` (Fetch §3.1).
 */
function isSameSite(ctx: EdgeContext, publicOrigin: string): boolean {
  const [site, origin] = [ctx.get('Sec-Fetch-Site'), ctx.get('Origin')]
  return ['', 'same-origin'].includes(site) && ['', 'null', publicOrigin].includes(origin)
}

/** Undefined if the body is no such form, or too large for ours. */
async function formOf(ctx: EdgeContext): Promise<URLSearchParams | undefined> {
  if (!FORM_TYPE.test(ctx.get('Content-Type')) || ctx.get('Content-Encoding') !== '') {
    ctx.req.resume()
    return undefined
  }
  try {
    const length = ctx.req.headers['content-length'] ?? null
    return new URLSearchParams(
      (await getRawBody(ctx.req, { length, limit: LIMIT_IN_BYTES })).toString('latin1'),
    )
  } catch {
    ctx.req.resume()
    return undefined
  }
}

/** The reader's language by their browser, when nobody knows whose link it is. */
function languageOf(ctx: EdgeContext, languages: readonly string[]): string | undefined {
  return ctx.acceptsLanguages([...languages]) || undefined
}
