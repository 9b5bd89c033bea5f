import type { ReportedMail, ReportLinks } from '../../src/application/ports/report-links.ts'

/** Links whose tokens say in plain words what they are about. */
export class PlainReportLinks implements ReportLinks {
  urlFor(mail: ReportedMail): string {
    const id = mail.kind === 'otp' ? mail.issuanceId : mail.challengeId
    return `https://bank.example/report/${mail.kind}.${id}`
  }

  mailOf(token: string): ReportedMail | undefined {
    const [, kind, id] = /^(otp|lock-notice)\.([0-9a-f-]{36})$/.exec(token) ?? []
    if (id === undefined) return undefined
    return kind === 'otp' ? { kind, issuanceId: id } : { kind: 'lock-notice', challengeId: id }
  }
}
