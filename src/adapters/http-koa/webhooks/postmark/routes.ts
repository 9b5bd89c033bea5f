import Router from '@koa/router'
import type { Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import type { Logger } from 'pino'
import { ZodError } from 'zod'
import type { Recorded, RecordMailEvent } from '../../../../application/mail/record-mail-event.ts'
import type { ReleaseAddress } from '../../../../application/mail/release-address.ts'
import { MAIL_SYSTEM } from '../../../../application/ports/provenance.ts'
import { HttpError } from '../../edge/http-error.ts'
import type { BasicCredentials } from './basic-credentials.ts'
import { type PostmarkReport, postmarkReport } from './report.ts'

export interface PostmarkWebhookUseCases {
  readonly recordMailEvent: Pick<RecordMailEvent, 'execute'>
  readonly releaseAddress: Pick<ReleaseAddress, 'execute'>
}

/** What Postmark calls to say what became of a mail. It calls again, for hours, after any answer but 200 and 403. */
export function postmarkWebhookRoutes(
  credentials: BasicCredentials,
  useCases: PostmarkWebhookUseCases,
  logger: Logger,
): Router {
  const router = new Router({ sensitive: true, strict: true })

  router.post('/webhooks/postmark', async (ctx) => {
    credentials.assertGivenBy(ctx)
    ctx.state.caller = MAIL_SYSTEM
    const report = await reportOf(ctx)
    const reception = await receive(report, useCases, ctx)
    const { about, issuanceId } = { issuanceId: undefined, ...report }
    logger.info({ requestId: ctx.state.requestId, about, issuanceId, reception }, 'mail report')
    ctx.body = {}
  })

  return router
}

/** Room for headers and details that other mail systems wrote; the content of mails is best not asked for. */
const parseJson = bodyParser({
  enableTypes: ['json'],
  jsonLimit: '64kb',
  onerror: (error) => {
    throw new HttpError('status' in error && error.status === 413 ? 'body-too-large' : 'bad-request')
  },
})

async function reportOf(ctx: Context): Promise<PostmarkReport> {
  if (!ctx.is('application/json') || ctx.get('Content-Encoding') !== '') throw new HttpError('body-not-json')
  await parseJson(ctx, async () => {})
  try {
    return postmarkReport(ctx.request.body)
  } catch (error) {
    throw error instanceof ZodError ? new HttpError('bad-request') : error
  }
}

async function receive(
  report: PostmarkReport,
  { recordMailEvent, releaseAddress }: PostmarkWebhookUseCases,
  ctx: Context,
): Promise<Recorded | 'ignored'> {
  const { origin } = ctx.state
  switch (report.about) {
    case 'mail':
      return recordMailEvent.execute({ issuanceId: report.issuanceId, event: report.news, origin })
    case 'address': {
      const { address, releasedAt: at } = report
      return (await releaseAddress.execute({ address, at, origin })) > 0 ? 'stored' : 'unknown'
    }
    case 'nothing of ours':
      return 'ignored'
  }
}
