import type { Logger } from 'pino'
import type { Recorded, RecordMailEvent } from '../../../../application/mail/record-mail-event.ts'
import type { ReleaseAddress } from '../../../../application/mail/release-address.ts'
import { MAIL_SYSTEM, type Origin } from '../../../../application/ports/provenance.ts'
import { WEBHOOK_ERRORS } from '../../edge/error-table.ts'
import { jsonBody } from '../../edge/json-body.ts'
import { createRouter, type EdgeRouter } from '../../edge/router.ts'
import { POSTMARK_WEBHOOK } from '../../paths.ts'
import type { BasicCredentials } from './basic-credentials.ts'
import { type PostmarkReport, Report } from './report.ts'

/** Room for headers and details that other mail systems wrote. Do not let Postmark include the content of mails. */
const LIMIT_IN_BYTES = 64 * 1024

export interface PostmarkWebhookUseCases {
  readonly recordMailEvent: Pick<RecordMailEvent, 'execute'>
  readonly releaseAddress: Pick<ReleaseAddress, 'execute'>
}

/** Postmark reports here what happened to a mail. After any answer but 200 and 403 it repeats the call for hours. */
export function postmarkWebhookRoutes(
  credentials: BasicCredentials,
  useCases: PostmarkWebhookUseCases,
  logger: Logger,
): EdgeRouter {
  const router = createRouter({ errors: WEBHOOK_ERRORS })

  router.post(POSTMARK_WEBHOOK, async (ctx) => {
    credentials.assertGivenBy(ctx)
    ctx.state.caller = MAIL_SYSTEM
    const report = await jsonBody(ctx, Report, { limitInBytes: LIMIT_IN_BYTES })
    const reception = await record(report, useCases, ctx.state.origin)
    const { about, issuanceId } = { issuanceId: undefined, ...report }
    logger.info({ requestId: ctx.state.requestId, about, issuanceId, reception }, 'mail report')
    ctx.body = {}
  })

  return router
}

async function record(
  report: PostmarkReport,
  { recordMailEvent, releaseAddress }: PostmarkWebhookUseCases,
  origin: Origin,
): Promise<Recorded | 'ignored'> {
  switch (report.about) {
    case 'mail':
      return recordMailEvent.execute({ issuanceId: report.issuanceId, event: report.event, origin })
    case 'address': {
      const { address, releasedAt: at } = report
      return (await releaseAddress.execute({ address, at, origin })) > 0 ? 'stored' : 'unknown'
    }
    case 'nothing of ours':
      return 'ignored'
  }
}
