import { ContainerModule } from 'inversify'
import { PageProof } from '../adapters/http-koa/report/page-proof.ts'
import { reportRoutes } from '../adapters/http-koa/report/routes.ts'
import { HtmlReportPages } from '../adapters/mail-composer/html-report-pages.ts'
import { HmacReportLinks } from '../adapters/report-links-hmac/hmac-report-links.ts'
import { ReportChallenge } from '../application/challenges/report-challenge.ts'
import { ReviewReportedMail } from '../application/challenges/review-reported-mail.ts'
import { AuditTrail } from '../application/ports/audit-trail.ts'
import { Clock } from '../application/ports/clock.ts'
import { ReportLinks } from '../application/ports/report-links.ts'
import { ReportableChallenges } from '../application/ports/reportable-challenges.ts'
import { StepUps } from '../application/ports/step-ups.ts'
import type { Keys } from '../config/formats.ts'
import type { Config } from '../config/read-config.ts'
import { bindClass } from './bind-class.ts'
import type { DeliveryConfig } from './composition-options.ts'
import { Links, Log, Routes } from './container-keys.ts'

/** The links of mails to report them, if they are configured. */
export function reportLinks({
  report,
  otpKeys,
}: Pick<DeliveryConfig, 'report' | 'otpKeys'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Links).toConstantValue(report && new HmacReportLinks(otpKeys, report.url))
  })
}

/** The page that those links lead to. Without it, there is no route. */
export function reportPage(
  { report, letter, brands, policy }: Pick<Config, 'report' | 'letter' | 'brands' | 'policy'>,
  otpKeys: Keys,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    if (!report?.page) return
    const links = new HmacReportLinks(otpKeys, report.url)
    const pages = new HtmlReportPages({
      ...{ brand: letter.brand, timeZone: letter.timeZone, brands, codeDigits: policy.codeDigits },
    })
    const proof = new PageProof(otpKeys)

    bind(ReportLinks).toConstantValue(links)
    const ports = [ReportLinks, ReportableChallenges, StepUps, AuditTrail, Clock] as const
    bindClass(bind, ReviewReportedMail, ports)
    bindClass(bind, ReportChallenge, ports)
    bind(Routes).toResolvedValue(
      (reviewReportedMail, reportChallenge, logger) =>
        reportRoutes(
          { pages, links, proof, publicUrl: report.url },
          { reviewReportedMail, reportChallenge },
          logger,
        ),
      [ReviewReportedMail, ReportChallenge, Log],
    )
  })
}
