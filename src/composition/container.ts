import 'reflect-metadata'
import { Server } from 'node:http'
import { join } from 'node:path'
import type Router from '@koa/router'
import { Container, type ServiceIdentifier } from 'inversify'
import type { Logger } from 'pino'
import { Deliverer } from '../adapters/deliverer/deliverer.ts'
import { KeycloakUserDirectory } from '../adapters/directory-keycloak/keycloak-user-directory.ts'
import { challengeRoutes } from '../adapters/http-koa/challenges/routes.ts'
import { documentationRoutes } from '../adapters/http-koa/documentation/routes.ts'
import { Authentication } from '../adapters/http-koa/edge/authentication.ts'
import { createHttpServer } from '../adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../adapters/http-koa/edge/in-flight-requests.ts'
import { Readiness } from '../adapters/http-koa/edge/readiness.ts'
import { serviceRoutes } from '../adapters/http-koa/service/routes.ts'
import { totpEmailRoutes } from '../adapters/http-koa/totp-email/routes.ts'
import { userRoutes } from '../adapters/http-koa/users/routes.ts'
import { BasicCredentials } from '../adapters/http-koa/webhooks/postmark/basic-credentials.ts'
import { postmarkWebhookRoutes } from '../adapters/http-koa/webhooks/postmark/routes.ts'
import { UuidIdentifiers } from '../adapters/identifiers-uuid/uuid-identifiers.ts'
import { issuerKeys } from '../adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../adapters/identity-jose/jose-access-tokens.ts'
import { HtmlLockMailComposer } from '../adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../adapters/mail-composer/html-otp-mail-composer.ts'
import { FailoverMailTransport } from '../adapters/mail-failover/failover-mail-transport.ts'
import { PostmarkMailTransport } from '../adapters/mail-postmark/postmark-mail-transport.ts'
import { SmtpMailTransport } from '../adapters/mail-smtp/smtp-mail-transport.ts'
import { DeliveryMetrics } from '../adapters/metrics-prometheus/delivery-metrics.ts'
import { MeasuredMailTransport } from '../adapters/metrics-prometheus/measured-mail-transport.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { watchOutbox } from '../adapters/metrics-prometheus/outbox-gauges.ts'
import { watchPool } from '../adapters/metrics-prometheus/pool-gauges.ts'
import { watchProcess } from '../adapters/metrics-prometheus/process-metrics.ts'
import { RequestMetrics } from '../adapters/metrics-prometheus/request-metrics.ts'
import { watchRetention } from '../adapters/metrics-prometheus/retention-gauge.ts'
import { PrismaAuditTrail } from '../adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { type Connections, connectPrisma } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import { DatabaseHealth } from '../adapters/persistence-prisma/connection/database-health.ts'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaClient } from '../adapters/persistence-prisma/generated/client.ts'
import { PrismaLockNotices } from '../adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaMailOutcomes } from '../adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaOutboxBacklog } from '../adapters/persistence-prisma/otp-outbox/prisma-outbox-backlog.ts'
import { PrismaRetention } from '../adapters/persistence-prisma/retention/prisma-retention.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../adapters/persistence-prisma/users/prisma-user-registry.ts'
import { RetentionCron } from '../adapters/retention-cron/retention-cron.ts'
import { EddsaChallengeSigner } from '../adapters/signing-jose/eddsa-challenge-signer.ts'
import { OtplibTotp } from '../adapters/totp-otplib/otplib-totp.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { AddressCheckedStepUps } from '../application/challenges/address-checked-step-ups.ts'
import { AuditChallenge } from '../application/challenges/audit-challenge.ts'
import { CancelChallenge } from '../application/challenges/cancel-challenge.ts'
import { ConsumeChallenge } from '../application/challenges/consume-challenge.ts'
import { InspectChallenge } from '../application/challenges/inspect-challenge.ts'
import { OpenChallenge } from '../application/challenges/open-challenge.ts'
import { DeliverOtp } from '../application/codes/deliver-otp.ts'
import { IssueOtp } from '../application/codes/issue-otp.ts'
import { VerifyOtp } from '../application/codes/verify-otp.ts'
import { LiftSuppression } from '../application/mail/lift-suppression.ts'
import { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import { ReleaseAddress } from '../application/mail/release-address.ts'
import { SendLockNotices } from '../application/mail/send-lock-notices.ts'
import { AccessTokens } from '../application/ports/access-tokens.ts'
import { AuditTrail } from '../application/ports/audit-trail.ts'
import { ChallengeSigner } from '../application/ports/challenge-signer.ts'
import { Clock } from '../application/ports/clock.ts'
import type { CommitListener } from '../application/ports/commit-listener.ts'
import { DeliverySignal } from '../application/ports/delivery-signal.ts'
import { Identifiers } from '../application/ports/identifiers.ts'
import { LockMailComposer } from '../application/ports/lock-mail-composer.ts'
import { LockNotices } from '../application/ports/lock-notices.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { MailTransport } from '../application/ports/mail-transport.ts'
import { OtpMailComposer } from '../application/ports/otp-mail-composer.ts'
import { OtpOutbox } from '../application/ports/otp-outbox.ts'
import { Retention } from '../application/ports/retention.ts'
import { StepUps } from '../application/ports/step-ups.ts'
import { Suppressions } from '../application/ports/suppressions.ts'
import { Totp } from '../application/ports/totp.ts'
import { UserDirectory, UserRegistry } from '../application/ports/user-directory.ts'
import { PurgeChallenges } from '../application/retention/purge-challenges.ts'
import { EraseUser } from '../application/users/erase-user.ts'
import { FindUser } from '../application/users/find-user.ts'
import { PutUser } from '../application/users/put-user.ts'
import type { Keys } from '../config/formats.ts'
import type { Config, MailConfig } from '../config/read-config.ts'
import { OutboxBacklog } from '../contracts/outbox-backlog.ts'
import { Workload } from '../contracts/workload.ts'
import { BouncingAddresses, type HearBounce } from '../development/bouncing-addresses.ts'
import { DevelopmentIssuer } from '../development/development-issuer.ts'
import type { DevelopmentKeys } from '../development/development-keys.ts'
import { FolderMailbox } from '../development/folder-mailbox.ts'
import { Mailbox } from '../development/mailbox.ts'
import { developmentRoutes } from '../development/routes.ts'
import { TokenIssuer } from '../development/token-issuer.ts'
import { observeCommits } from './observing.ts'

/** What the composition is made of besides the environment. */
export interface CompositionOptions {
  readonly config: Config
  readonly databaseUrl: string
  /** The stand-ins of a development set-up; undefined in production. */
  readonly developmentKeys: DevelopmentKeys | undefined
  readonly logger: Logger
  /** Undefined where nothing is traced: then nothing is wrapped either. */
  readonly tracing?: Tracing | undefined
  /** What else is to be had at the service's origin, as behind a gateway; not part of its API. */
  readonly extraRouter?: Router | undefined
}

/** Nobody waits for a warning as for a code. */
const NOTICE_POLL_INTERVAL_IN_MS = 1000

/** The one that sends lock notices. Nothing rings it: what a poll finds is early enough. */
export const LockNoticeDeliverer: ServiceIdentifier<Deliverer> = Symbol('LockNoticeDeliverer')

/** The way to the database, to be closed at the end. */
export const StorageConnections: ServiceIdentifier<Connections> = Symbol('StorageConnections')

const TotpEmailRoutes: ServiceIdentifier<Router> = Symbol('TotpEmailRoutes')
const ChallengeRoutes: ServiceIdentifier<Router> = Symbol('ChallengeRoutes')
const UserRoutes: ServiceIdentifier<Router> = Symbol('UserRoutes')
const ServiceRoutes: ServiceIdentifier<Router> = Symbol('ServiceRoutes')
const WebhookRoutes: ServiceIdentifier<Router> = Symbol('WebhookRoutes')
const DocumentationRoutes: ServiceIdentifier<Router> = Symbol('DocumentationRoutes')
const DevelopmentRoutes: ServiceIdentifier<Router> = Symbol('DevelopmentRoutes')
/** All that the HTTP server answers, the busiest first. */
export const Routers: ServiceIdentifier<readonly Router[]> = Symbol('Routers')
const Traces: ServiceIdentifier<Tracing | undefined> = Symbol('Traces')
const Commits: ServiceIdentifier<CommitListener> = Symbol('CommitListener')
const Policy: ServiceIdentifier<Config['policy']> = Symbol('StepUpPolicy')

/** The composition root: the one place that knows which adapter answers which port. Nothing connects or listens yet. */
export function createContainer(foundation: CompositionOptions): Container {
  const { config, databaseUrl, developmentKeys, logger, tracing } = foundation
  const container = new Container({ defaultScope: 'Singleton' })

  container.bind(Policy).toConstantValue(config.policy)
  container.bind(Traces).toConstantValue(tracing)
  container.bind(Clock).toConstantValue({ now: () => new Date() })
  container.bind(Identifiers).toResolvedValue(() => new UuidIdentifiers())
  const otpKeys = config.otpKeys ?? standIn(developmentKeys?.otpKey)
  container
    .bind(Totp)
    .toResolvedValue(
      (metrics) => new OtplibTotp(otpKeys, config.policy.codeDigits, () => metrics.otpKeyMisses.inc()),
      [Metrics],
    )
  container
    .bind(ChallengeSigner)
    .toConstantValue(new EddsaChallengeSigner(config.signingKeys ?? standIn(developmentKeys?.signingKey)))

  bindStorage(container, databaseUrl, logger, tracing)
  bindMetrics(container, config, logger)
  bindUsers(container, config)
  bindIdentity(container, config, developmentKeys)
  bindMail(container, config, logger)
  bindUseCases(container)

  container.bind(InFlightRequests).toConstantValue(new InFlightRequests())
  container.bind(Workload).toService(InFlightRequests)
  container
    .bind(Deliverer)
    .toResolvedValue(
      (deliverOtp, metrics, workload) =>
        new Deliverer(deliverOtp, workload, logger, { observer: new DeliveryMetrics(metrics) }),
      [DeliverOtp, Metrics, Workload],
    )
  container.bind(DeliverySignal).toService(Deliverer)
  container.bind(LockNoticeDeliverer).toResolvedValue(
    (sendLockNotices, metrics, workload) =>
      new Deliverer(sendLockNotices, workload, logger, {
        observer: new DeliveryMetrics(metrics),
        pollIntervalInMs: NOTICE_POLL_INTERVAL_IN_MS,
      }),
    [SendLockNotices, Metrics, Workload],
  )
  bindRetention(container, config, logger)
  bindHttp(container, foundation)
  return container
}

function bindStorage(container: Container, url: string, logger: Logger, tracing: Tracing | undefined): void {
  const connections = connectPrisma({
    url,
    onConnectionLost: (error) => logger.warn({ err: error }, 'database connection lost'),
    around: tracing?.statement,
  })
  container.bind(StorageConnections).toConstantValue(connections)
  container.bind(PrismaClient).toConstantValue(connections.prisma)
  container.bind(Statements).toConstantValue(connections.statements)
  container
    .bind(PrismaStepUps)
    .toResolvedValue((statements, commits) => new PrismaStepUps(statements, commits), [Statements, Commits])
  container
    .bind(OtpOutbox)
    .toResolvedValue((statements, commits) => new PrismaOtpOutbox(statements, commits), [Statements, Commits])
  container
    .bind(LockNotices)
    .toResolvedValue(
      (statements, commits) => new PrismaLockNotices(statements, commits),
      [Statements, Commits],
    )
  container
    .bind(MailOutcomes)
    .toResolvedValue(
      (statements, commits) => new PrismaMailOutcomes(statements, commits),
      [Statements, Commits],
    )
  container
    .bind(Suppressions)
    .toResolvedValue(
      (statements, commits) => new PrismaSuppressions(statements, commits),
      [Statements, Commits],
    )
  container.bind(OutboxBacklog).toResolvedValue((prisma) => new PrismaOutboxBacklog(prisma), [PrismaClient])
  container.bind(AuditTrail).toResolvedValue((prisma) => new PrismaAuditTrail(prisma), [PrismaClient])
  container.bind(Retention).toResolvedValue((prisma) => new PrismaRetention(prisma), [PrismaClient])
  container.bind(DatabaseHealth).toResolvedValue((prisma) => new DatabaseHealth(prisma), [PrismaClient])
}

function bindMetrics(container: Container, { retentionInDays }: Config, logger: Logger): void {
  container.bind(Commits).toResolvedValue((metrics) => observeCommits(metrics, logger), [Metrics])
  container.bind(Metrics).toResolvedValue(
    (backlog, retention, clock, { pool }) => {
      const metrics = new Metrics()
      watchOutbox(metrics.registry, backlog, clock)
      watchRetention(metrics.registry, retention, clock, retentionInDays)
      watchPool(metrics.registry, pool)
      watchProcess(metrics.registry)
      return metrics
    },
    [OutboxBacklog, Retention, Clock, StorageConnections],
  )
}

/** With a directory elsewhere there is no registry here, and what is loaded is held against that directory. */
function bindUsers(container: Container, { keycloak }: Config): void {
  if (keycloak) {
    container
      .bind(UserDirectory)
      .toResolvedValue(
        (clock, tracing) => new KeycloakUserDirectory({ ...keycloak, fetch: tracing?.fetch }, clock),
        [Clock, Traces],
      )
    container
      .bind(StepUps)
      .toResolvedValue(
        (stepUps, directory) => new AddressCheckedStepUps(stepUps, directory),
        [PrismaStepUps, UserDirectory],
      )
  } else {
    container
      .bind(UserRegistry)
      .toResolvedValue((prisma, commits) => new PrismaUserRegistry(prisma, commits), [PrismaClient, Commits])
    container.bind(UserDirectory).toService(UserRegistry)
    container.bind(StepUps).toService(PrismaStepUps)
    container
      .bind(PutUser)
      .toResolvedValue((registry, clock) => new PutUser(registry, clock), [UserRegistry, Clock])
    container
      .bind(EraseUser)
      .toResolvedValue((registry, clock) => new EraseUser(registry, clock), [UserRegistry, Clock])
  }
}

function bindIdentity(container: Container, { auth }: Config, keys: DevelopmentKeys | undefined): void {
  if (auth) {
    container
      .bind(AccessTokens)
      .toResolvedValue(
        (clock, tracing) =>
          new JoseAccessTokens(issuerKeys(auth.jwksUrl, clock, tracing?.fetch), auth, clock),
        [Clock, Traces],
      )
    return
  }
  if (!keys) throw new Error('without an issuer there must be development keys')
  const rules = { issuer: 'countersign-development', audience: 'countersign' }
  const issuer = new DevelopmentIssuer(keys.issuerKey, rules, container.get(Clock))
  container.bind(TokenIssuer).toConstantValue(issuer)
  container
    .bind(AccessTokens)
    .toResolvedValue((clock) => new JoseAccessTokens(issuer.keys(), rules, clock), [Clock])
}

function bindMail(container: Container, { mail, letter, dataDir }: Config, logger: Logger): void {
  const tracing = container.get(Traces)
  const traced = (name: string, transport: MailTransport) =>
    tracing?.mailTransport(name, transport) ?? transport
  const composer = new HtmlOtpMailComposer(letter)
  container.bind(OtpMailComposer).toConstantValue(tracing?.mailComposer(composer) ?? composer)
  container.bind(LockMailComposer).toResolvedValue(() => new HtmlLockMailComposer(letter))
  if (!mail) {
    container
      .bind(FolderMailbox)
      .toResolvedValue((clock) => new FolderMailbox(join(dataDir, 'mailbox'), clock), [Clock])
    container.bind(Mailbox).toService(FolderMailbox)
    container
      .bind(MailTransport)
      .toResolvedValue(
        (mailbox, recordMailEvent, clock) =>
          traced('mailbox', new BouncingAddresses(mailbox, bounceHeard(recordMailEvent, clock, logger))),
        [FolderMailbox, RecordMailEvent, Clock],
      )
  } else {
    const metrics = container.get(Metrics)
    const transports = mail.map(
      (each) =>
        [
          each.transport,
          traced(each.transport, new MeasuredMailTransport(each.transport, transportOf(each), metrics)),
        ] as const,
    )
    const [first, second] = transports
    container
      .bind(MailTransport)
      .toConstantValue(
        second ? new FailoverMailTransport(transports, container.get(Clock), logger) : first![1],
      )
  }
}

/** What Postmark's webhook does where there is Postmark. */
function bounceHeard(recordMailEvent: RecordMailEvent, clock: Clock, logger: Logger): HearBounce {
  return async (issuanceId) => {
    const news = { outcome: 'bounced', kind: 'hard-bounce', at: clock.now() } as const
    try {
      await recordMailEvent.execute({ issuanceId, event: news, origin: undefined })
    } catch (error) {
      logger.warn({ err: error, issuanceId }, 'bounce not heard')
    }
  }
}

function transportOf(mail: MailConfig): MailTransport {
  switch (mail.transport) {
    case 'smtp':
      return new SmtpMailTransport(mail)
    case 'postmark':
      return new PostmarkMailTransport(mail)
  }
}

function bindUseCases(container: Container): void {
  container
    .bind(OpenChallenge)
    .toResolvedValue(
      (stepUps, signer, identifiers, clock, policy) =>
        new OpenChallenge(stepUps, signer, identifiers, clock, policy),
      [StepUps, ChallengeSigner, Identifiers, Clock, Policy],
    )
  container
    .bind(IssueOtp)
    .toResolvedValue(
      (stepUps, totp, identifiers, signal, clock, policy) =>
        new IssueOtp(stepUps, totp, identifiers, signal, clock, policy),
      [StepUps, Totp, Identifiers, DeliverySignal, Clock, Policy],
    )
  container
    .bind(VerifyOtp)
    .toResolvedValue(
      (stepUps, totp, identifiers, clock, policy) => new VerifyOtp(stepUps, totp, identifiers, clock, policy),
      [StepUps, Totp, Identifiers, Clock, Policy],
    )
  container
    .bind(InspectChallenge)
    .toResolvedValue(
      (stepUps, clock, policy) => new InspectChallenge(stepUps, clock, policy),
      [StepUps, Clock, Policy],
    )
  container
    .bind(ConsumeChallenge)
    .toResolvedValue(
      (stepUps, signer, clock) => new ConsumeChallenge(stepUps, signer, clock),
      [StepUps, ChallengeSigner, Clock],
    )
  container
    .bind(CancelChallenge)
    .toResolvedValue((stepUps, clock) => new CancelChallenge(stepUps, clock), [StepUps, Clock])
  container
    .bind(AuditChallenge)
    .toResolvedValue((stepUps, trail) => new AuditChallenge(stepUps, trail), [StepUps, AuditTrail])
  container.bind(FindUser).toResolvedValue((directory) => new FindUser(directory), [UserDirectory])
  container
    .bind(DeliverOtp)
    .toResolvedValue(
      (outbox, totp, composer, transport, mailOutcomes, clock, tracing) =>
        new DeliverOtp(outbox, totp, composer, transport, mailOutcomes, clock, tracing?.deliveries),
      [OtpOutbox, Totp, OtpMailComposer, MailTransport, MailOutcomes, Clock, Traces],
    )
  container
    .bind(SendLockNotices)
    .toResolvedValue(
      (notices, composer, transport, clock) => new SendLockNotices(notices, composer, transport, clock),
      [LockNotices, LockMailComposer, MailTransport, Clock],
    )
  container
    .bind(RecordMailEvent)
    .toResolvedValue((mailOutcomes, clock) => new RecordMailEvent(mailOutcomes, clock), [MailOutcomes, Clock])
  container
    .bind(LiftSuppression)
    .toResolvedValue((suppressions, clock) => new LiftSuppression(suppressions, clock), [Suppressions, Clock])
  container
    .bind(ReleaseAddress)
    .toResolvedValue((suppressions, clock) => new ReleaseAddress(suppressions, clock), [Suppressions, Clock])
}

function bindRetention(container: Container, { retentionInDays }: Config, logger: Logger): void {
  container
    .bind(PurgeChallenges)
    .toResolvedValue(
      (retention, clock) => new PurgeChallenges(retention, clock, retentionInDays),
      [Retention, Clock],
    )
  container
    .bind(RetentionCron)
    .toResolvedValue((purgeChallenges) => new RetentionCron(purgeChallenges, logger), [PurgeChallenges])
}

function bindHttp(
  container: Container,
  { config, logger, extraRouter: neighbour }: CompositionOptions,
): void {
  const { production, policy, postmarkWebhookAuth } = config
  container.bind(Authentication).toResolvedValue((tokens) => new Authentication(tokens), [AccessTokens])
  container
    .bind(TotpEmailRoutes)
    .toResolvedValue(
      (authentication, issueOtp, verifyOtp) =>
        totpEmailRoutes(authentication, { issueOtp, verifyOtp }, policy),
      [Authentication, IssueOtp, VerifyOtp],
    )
  container.bind(ChallengeRoutes).toResolvedValue(
    (authentication, openChallenge, inspectChallenge, consumeChallenge, cancelChallenge, auditChallenge) =>
      challengeRoutes(authentication, {
        openChallenge,
        inspectChallenge,
        consumeChallenge,
        cancelChallenge,
        auditChallenge,
      }),
    [Authentication, OpenChallenge, InspectChallenge, ConsumeChallenge, CancelChallenge, AuditChallenge],
  )
  container
    .bind(UserRoutes)
    .toResolvedValue(
      (
        authentication: Authentication,
        findUser: FindUser,
        liftSuppression: LiftSuppression,
        putUser: PutUser | undefined,
        eraseUser: EraseUser | undefined,
      ) => userRoutes(authentication, { findUser, liftSuppression, putUser, eraseUser }),
      [
        Authentication,
        FindUser,
        LiftSuppression,
        { serviceIdentifier: PutUser, optional: true },
        { serviceIdentifier: EraseUser, optional: true },
      ],
    )
  container
    .bind(Readiness)
    .toResolvedValue(
      (database, deliverer) => new Readiness([database, deliverer]),
      [DatabaseHealth, Deliverer],
    )
  container.bind(DocumentationRoutes).toResolvedValue(() => documentationRoutes())
  container
    .bind(ServiceRoutes)
    .toResolvedValue((readiness, signer) => serviceRoutes(readiness, signer), [Readiness, ChallengeSigner])
  container.bind(DevelopmentRoutes).toResolvedValue(
    (mailbox: Mailbox | undefined, tokenIssuer: TokenIssuer | undefined) =>
      developmentRoutes(mailbox, tokenIssuer),
    [
      { serviceIdentifier: Mailbox, optional: true },
      { serviceIdentifier: TokenIssuer, optional: true },
    ],
  )
  const routers = [TotpEmailRoutes, ChallengeRoutes, UserRoutes, ServiceRoutes, DocumentationRoutes]
  if (postmarkWebhookAuth) {
    const credentials = new BasicCredentials(postmarkWebhookAuth)
    container
      .bind(WebhookRoutes)
      .toResolvedValue(
        (recordMailEvent, releaseAddress) =>
          postmarkWebhookRoutes(credentials, { recordMailEvent, releaseAddress }, logger),
        [RecordMailEvent, ReleaseAddress],
      )
    routers.push(WebhookRoutes)
  }
  container
    .bind(Routers)
    .toResolvedValue((...all: Router[]) => all, [...routers, ...(production ? [] : [DevelopmentRoutes])])
  container.bind(Server).toResolvedValue(
    (requests, metrics, all) =>
      createHttpServer(neighbour ? [...all, neighbour] : all, requests, logger, {
        observer: new RequestMetrics(metrics),
        traces: container.get(Traces)?.requests,
      }),
    [InFlightRequests, Metrics, Routers],
  )
}

/** A key of the development set-up in the place of configured ones. */
function standIn(key: string | undefined): Keys {
  if (!key) throw new Error('without configured keys there must be development keys')
  return [{ id: 'development', bytes: Buffer.from(key, 'base64') }]
}
