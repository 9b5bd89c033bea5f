import { randomUUID } from 'node:crypto'
import { AuditChallenge } from '../../src/application/challenges/audit-challenge.ts'
import { CancelChallenge } from '../../src/application/challenges/cancel-challenge.ts'
import {
  ConsumeChallenge,
  type ConsumeChallengeCommand,
} from '../../src/application/challenges/consume-challenge.ts'
import { InspectChallenge } from '../../src/application/challenges/inspect-challenge.ts'
import { OpenChallenge } from '../../src/application/challenges/open-challenge.ts'
import { ReportChallenge } from '../../src/application/challenges/report-challenge.ts'
import { ReviewReportedMail } from '../../src/application/challenges/review-reported-mail.ts'
import { DeliverOtp } from '../../src/application/codes/deliver-otp.ts'
import { IssueOtp } from '../../src/application/codes/issue-otp.ts'
import { VerifyOtp } from '../../src/application/codes/verify-otp.ts'
import { LiftSuppression } from '../../src/application/mail/lift-suppression.ts'
import { RecordMailEvent } from '../../src/application/mail/record-mail-event.ts'
import { ReleaseAddress } from '../../src/application/mail/release-address.ts'
import { SendLockNotices } from '../../src/application/mail/send-lock-notices.ts'
import { SendSecurityNotices } from '../../src/application/mail/send-security-notices.ts'
import type { LockWarning } from '../../src/application/ports/lock-mail-composer.ts'
import type { OtpNotice } from '../../src/application/ports/otp-mail-composer.ts'
import type { SecurityNews } from '../../src/application/ports/security-mail-composer.ts'
import { ExportSubject } from '../../src/application/support/export-subject.ts'
import { FindSubject } from '../../src/application/support/find-subject.ts'
import { ListChallenges } from '../../src/application/support/list-challenges.ts'
import { UnlockSubject } from '../../src/application/support/unlock-subject.ts'
import { EraseUser } from '../../src/application/users/erase-user.ts'
import { FindUser } from '../../src/application/users/find-user.ts'
import { PutUser } from '../../src/application/users/put-user.ts'
import { FindWebhook } from '../../src/application/webhooks/find-webhook.ts'
import { ReadServiceEvents } from '../../src/application/webhooks/read-service-events.ts'
import { RegisterWebhook } from '../../src/application/webhooks/register-webhook.ts'
import { RemoveWebhook } from '../../src/application/webhooks/remove-webhook.ts'
import { RotateWebhookSecret } from '../../src/application/webhooks/rotate-webhook-secret.ts'
import type { Brand } from '../../src/domain/brand.ts'
import type { ConsumedChallenge } from '../../src/domain/challenge.ts'
import { User } from '../../src/domain/user.ts'
import { NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { CountedIdentifiers } from '../doubles/counted-identifiers.ts'
import { inMemoryStores } from '../doubles/in-memory/in-memory-stores.ts'
import { InMemoryMailTransport } from '../doubles/in-memory-mail-transport.ts'
import { PlainReportLinks } from '../doubles/plain-report-links.ts'
import { PlainTotp } from '../doubles/plain-totp.ts'
import { PlainWebhookSecrets } from '../doubles/plain-webhook-secrets.ts'
import { SettableClock } from '../doubles/settable-clock.ts'

/** Events may go anywhere over TLS, except to one host. */
const ONE_FORBIDDEN_HOST = {
  refusalOf: (hostname: string, encrypted: boolean) => {
    if (!encrypted) return 'must be an https:// URL'
    return hostname === '10.0.0.1' ? 'must not lead there' : undefined
  },
}

/** The use cases over doubles, with Alice in the directory, at noon. `code` is that of every mail. */
export async function scenario({
  policy = POLICY,
  code = undefined as string | undefined,
  brands = undefined as ReadonlyMap<string, Brand> | undefined,
} = {}) {
  const store = inMemoryStores()
  const clock = new SettableClock(NOON)
  const totp = new PlainTotp(code)
  const identifiers = new CountedIdentifiers(clock)
  const signer = {
    sign: async ({ id }: { id: string }) => `signature of ${id}`,
    verifies: async ({ id }: { id: string }, signature: string) => signature === `signature of ${id}`,
    authorise: async ({ id, consumedAt }: ConsumedChallenge) =>
      `authorisation of ${id} at ${consumedAt.getTime()}`,
    publicKeys: () => ({ keys: [] }),
  }
  const notices: OtpNotice[] = []
  const rings: Date[] = []
  const transport = new InMemoryMailTransport()
  const composer = {
    compose: (notice: OtpNotice) => {
      notices.push(notice)
      return { subject: `Code (${notice.reference})`, text: notice.code, html: notice.code }
    },
  }
  const warnings: LockWarning[] = []
  const lockComposer = {
    compose: (warning: LockWarning) => {
      warnings.push(warning)
      return { subject: 'Locked', text: 'locked', html: 'locked' }
    },
  }
  const news: SecurityNews[] = []
  const newsComposer = {
    compose: (each: SecurityNews) => {
      news.push(each)
      return { subject: 'News', text: 'news', html: 'news' }
    },
  }
  const signal = { wake: () => void rings.push(clock.now()) }

  const links = new PlainReportLinks()
  const reportPorts = [links, store.reportableChallenges, store.stepUps, store.trail, clock] as const
  const webhookSecrets = new PlainWebhookSecrets()

  const useCases = {
    openChallenge: new OpenChallenge(store.stepUps, signer, identifiers, clock, policy),
    issueOtp: new IssueOtp(store.stepUps, totp, identifiers, signal, clock, policy),
    verifyOtp: new VerifyOtp(store.stepUps, totp, identifiers, clock, policy),
    inspectChallenge: new InspectChallenge(store.stepUps, clock, policy, brands),
    deliverOtp: new DeliverOtp(
      store.outbox,
      totp,
      composer,
      transport,
      store.mailOutcomes,
      clock,
      undefined,
      links,
    ),
    sendSecurityNotices: new SendSecurityNotices(store.securityNotices, newsComposer, transport, clock),
    sendLockNotices: new SendLockNotices(store.lockNotices, lockComposer, transport, clock, links),
    consumeChallenge: new ConsumeChallenge(store.stepUps, signer, clock),
    cancelChallenge: new CancelChallenge(store.stepUps, clock),
    reportChallenge: new ReportChallenge(...reportPorts),
    reviewReportedMail: new ReviewReportedMail(...reportPorts),
    auditChallenge: new AuditChallenge(store.stepUps, store.trail),
    findUser: new FindUser(store.registry),
    putUser: new PutUser(store.registry, clock),
    eraseUser: new EraseUser(store.registry, clock, policy),
    recordMailEvent: new RecordMailEvent(store.mailOutcomes, clock),
    liftSuppression: new LiftSuppression(store.suppressions, clock),
    releaseAddress: new ReleaseAddress(store.suppressions, clock),
    registerWebhook: new RegisterWebhook(store.endpoints, webhookSecrets, ONE_FORBIDDEN_HOST),
    findWebhook: new FindWebhook(store.endpoints),
    removeWebhook: new RemoveWebhook(store.endpoints),
    rotateWebhookSecret: new RotateWebhookSecret(store.endpoints, webhookSecrets),
    readServiceEvents: new ReadServiceEvents(store.endpoints, store.serviceEvents),
    listChallenges: new ListChallenges(store.supportSearch, clock),
    findSubject: new FindSubject(
      store.standings,
      async (userId) => User.whereabouts(await store.registry.find(userId)),
      clock,
      policy,
    ),
    exportSubject: new ExportSubject(store.subjectRecords, clock),
    unlockSubject: new UnlockSubject(store.standings, store.registry, clock),
  }
  await useCases.putUser.execute({
    userId: 'alice',
    email: 'alice@example.com',
    locale: 'de',
    clientId: 'crm',
    origin: { requestId: 'r' },
  })

  return {
    ...useCases,
    ...{ store, clock, webhookSecrets, links, transport },
    ...{ mails: transport.sent, notices, warnings, news, rings },
    open: async (subjectUserId = 'alice') => {
      const { challenge } = await useCases.openChallenge.execute({
        clientId: 'payments',
        subjectUserId,
        operation: TRANSFER,
        idempotency: { key: randomUUID(), fingerprint: 'f' },
        origin: { requestId: 'r' },
      })
      return challenge.id
    },
    issue: (challengeId: string, userId = 'alice') =>
      useCases.issueOtp.execute({ challengeId, userId, origin: { requestId: 'r' } }),
    verify: (challengeId: string, code: string, userId = 'alice') =>
      useCases.verifyOtp.execute({ challengeId, userId, code, origin: { requestId: 'r' } }),
    consume: (challengeId: string, changes: Partial<ConsumeChallengeCommand> = {}) =>
      useCases.consumeChallenge.execute({
        challengeId,
        clientId: 'payments',
        signature: `signature of ${challengeId}`,
        digest: TRANSFER.digest,
        idempotency: { key: 'consume-1', fingerprint: 'f' },
        origin: { requestId: 'r' },
        ...changes,
      }),
    deliver: async (limit = 10) =>
      Promise.all((await useCases.deliverOtp.execute(limit)).map((attempt) => attempt())),
    tell: async (limit = 10) =>
      Promise.all((await useCases.sendSecurityNotices.execute(limit)).map((attempt) => attempt())),
    warn: async (limit = 10) =>
      Promise.all((await useCases.sendLockNotices.execute(limit)).map((attempt) => attempt())),
  }
}
