import 'reflect-metadata'
import { Server } from 'node:http'
import { join } from 'node:path'
import type Router from '@koa/router'
import { Container, type ServiceIdentifier } from 'inversify'
import type { Logger } from 'pino'
import { Deliverer } from './adapters/deliverer/deliverer.ts'
import type { DevelopmentKeys } from './adapters/development/development-keys.ts'
import { KeycloakUserDirectory } from './adapters/directory-keycloak/keycloak-user-directory.ts'
import { Authentication } from './adapters/http-koa/authentication.ts'
import { challengeRoutes } from './adapters/http-koa/challenge-routes.ts'
import { developmentRoutes } from './adapters/http-koa/development-routes.ts'
import { createHttpServer } from './adapters/http-koa/http-server.ts'
import { RequestsUnderWay } from './adapters/http-koa/requests-under-way.ts'
import { serviceRoutes } from './adapters/http-koa/service-routes.ts'
import { totpEmailRoutes } from './adapters/http-koa/totp-email-routes.ts'
import { userRoutes } from './adapters/http-koa/user-routes.ts'
import { UuidIdentifiers } from './adapters/identifiers-uuid/uuid-identifiers.ts'
import { DevelopmentIssuer } from './adapters/identity-jose/development-issuer.ts'
import { issuerKeys } from './adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from './adapters/identity-jose/jose-access-tokens.ts'
import { HtmlOtpMailComposer } from './adapters/mail-composer/html-otp-mail-composer.ts'
import { FolderMailbox } from './adapters/mail-mailbox/folder-mailbox.ts'
import { PostmarkMailTransport } from './adapters/mail-postmark/postmark-mail-transport.ts'
import { SmtpMailTransport } from './adapters/mail-smtp/smtp-mail-transport.ts'
import { type Connections, connectPrisma } from './adapters/persistence-prisma/connect-prisma.ts'
import { DatabaseHealth } from './adapters/persistence-prisma/database-health.ts'
import { PrismaClient } from './adapters/persistence-prisma/generated/client.ts'
import { PrismaAuditTrail } from './adapters/persistence-prisma/prisma-audit-trail.ts'
import { PrismaOtpOutbox } from './adapters/persistence-prisma/prisma-otp-outbox.ts'
import { PrismaStepUps } from './adapters/persistence-prisma/prisma-step-ups.ts'
import { PrismaUserRegistry } from './adapters/persistence-prisma/prisma-user-registry.ts'
import { RawStatements } from './adapters/persistence-prisma/raw-statements.ts'
import { EddsaChallengeSigner } from './adapters/signing-jose/eddsa-challenge-signer.ts'
import { OtplibTotp } from './adapters/totp-otplib/otplib-totp.ts'
import { AuditChallenge } from './application/audit-challenge.ts'
import { CancelChallenge } from './application/cancel-challenge.ts'
import { ConsumeChallenge } from './application/consume-challenge.ts'
import { DeliverOtp } from './application/deliver-otp.ts'
import { DirectedStepUps } from './application/directed-step-ups.ts'
import { EraseUser } from './application/erase-user.ts'
import { FindUser } from './application/find-user.ts'
import { InspectChallenge } from './application/inspect-challenge.ts'
import { IssueOtp } from './application/issue-otp.ts'
import { OpenChallenge } from './application/open-challenge.ts'
import { AccessTokens } from './application/ports/access-tokens.ts'
import { AuditTrail } from './application/ports/audit-trail.ts'
import { ChallengeSigner } from './application/ports/challenge-signer.ts'
import { Clock } from './application/ports/clock.ts'
import { DeliverySignal } from './application/ports/delivery-signal.ts'
import { Identifiers } from './application/ports/identifiers.ts'
import { MailTransport } from './application/ports/mail-transport.ts'
import { Mailbox } from './application/ports/mailbox.ts'
import { OtpMailComposer } from './application/ports/otp-mail-composer.ts'
import { OtpOutbox } from './application/ports/otp-outbox.ts'
import { StepUps } from './application/ports/step-ups.ts'
import { TokenIssuer } from './application/ports/token-issuer.ts'
import { Totp } from './application/ports/totp.ts'
import { UserDirectory, UserRegistry } from './application/ports/user-directory.ts'
import { Workload } from './application/ports/workload.ts'
import { PutUser } from './application/put-user.ts'
import { VerifyOtp } from './application/verify-otp.ts'
import type { Config, Keys, MailConfig } from './config.ts'

/** What the composition is made of besides the environment. */
export interface Foundation {
  readonly config: Config
  readonly databaseUrl: string
  /** The stand-ins of a development set-up; undefined in production. */
  readonly developmentKeys: DevelopmentKeys | undefined
  readonly logger: Logger
}

/** The way to the database, to be closed at the end. */
export const StorageConnections: ServiceIdentifier<Connections> = Symbol('StorageConnections')

const TotpEmailRoutes: ServiceIdentifier<Router> = Symbol('TotpEmailRoutes')
const ChallengeRoutes: ServiceIdentifier<Router> = Symbol('ChallengeRoutes')
const UserRoutes: ServiceIdentifier<Router> = Symbol('UserRoutes')
const ServiceRoutes: ServiceIdentifier<Router> = Symbol('ServiceRoutes')
const DevelopmentRoutes: ServiceIdentifier<Router> = Symbol('DevelopmentRoutes')
const Policy: ServiceIdentifier<Config['policy']> = Symbol('StepUpPolicy')

/** The composition root: the one place that knows which adapter answers which port. Nothing connects or listens yet. */
export function createContainer({ config, databaseUrl, developmentKeys, logger }: Foundation): Container {
  const container = new Container({ defaultScope: 'Singleton' })

  container.bind(Policy).toConstantValue(config.policy)
  container.bind(Clock).toConstantValue({ now: () => new Date() })
  container.bind(Identifiers).toResolvedValue(() => new UuidIdentifiers())
  container
    .bind(Totp)
    .toConstantValue(
      new OtplibTotp(config.otpKeys ?? standIn(developmentKeys?.otpKey), config.policy.codeDigits),
    )
  container
    .bind(ChallengeSigner)
    .toConstantValue(new EddsaChallengeSigner(config.signingKeys ?? standIn(developmentKeys?.signingKey)))

  bindStorage(container, databaseUrl, logger)
  bindUsers(container, config)
  bindIdentity(container, config, developmentKeys)
  bindMail(container, config)
  bindUseCases(container)

  container.bind(RequestsUnderWay).toConstantValue(new RequestsUnderWay())
  container.bind(Workload).toService(RequestsUnderWay)
  container
    .bind(Deliverer)
    .toResolvedValue(
      (deliverOtp, workload) => new Deliverer(deliverOtp, workload, logger),
      [DeliverOtp, Workload],
    )
  container.bind(DeliverySignal).toService(Deliverer)
  bindHttp(container, config, logger)
  return container
}

function bindStorage(container: Container, url: string, logger: Logger): void {
  const connections = connectPrisma({
    url,
    onConnectionLost: (error) => logger.warn({ err: error }, 'database connection lost'),
  })
  container.bind(StorageConnections).toConstantValue(connections)
  container.bind(PrismaClient).toConstantValue(connections.prisma)
  container.bind(RawStatements).toConstantValue(new RawStatements(connections.pool))
  container
    .bind(PrismaStepUps)
    .toResolvedValue((statements) => new PrismaStepUps(statements), [RawStatements])
  container.bind(OtpOutbox).toResolvedValue((statements) => new PrismaOtpOutbox(statements), [RawStatements])
  container.bind(AuditTrail).toResolvedValue((prisma) => new PrismaAuditTrail(prisma), [PrismaClient])
  container.bind(DatabaseHealth).toResolvedValue((prisma) => new DatabaseHealth(prisma), [PrismaClient])
}

/** With a directory elsewhere there is no registry here, and what is loaded is held against that directory. */
function bindUsers(container: Container, { keycloak }: Config): void {
  if (keycloak) {
    container
      .bind(UserDirectory)
      .toResolvedValue((clock) => new KeycloakUserDirectory(keycloak, clock), [Clock])
    container
      .bind(StepUps)
      .toResolvedValue(
        (stepUps, directory, clock) => new DirectedStepUps(stepUps, directory, clock),
        [PrismaStepUps, UserDirectory, Clock],
      )
  } else {
    container.bind(UserRegistry).toResolvedValue((prisma) => new PrismaUserRegistry(prisma), [PrismaClient])
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
      .toResolvedValue((clock) => new JoseAccessTokens(issuerKeys(auth.jwksUrl, clock), auth, clock), [Clock])
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

function bindMail(container: Container, { mail, dataDir }: Config): void {
  container.bind(OtpMailComposer).toResolvedValue(() => new HtmlOtpMailComposer())
  if (mail.transport === 'mailbox') {
    container
      .bind(FolderMailbox)
      .toResolvedValue((clock) => new FolderMailbox(join(dataDir, 'mailbox'), clock), [Clock])
    container.bind(Mailbox).toService(FolderMailbox)
    container.bind(MailTransport).toService(FolderMailbox)
  } else {
    container.bind(MailTransport).toConstantValue(transportOf(mail))
  }
}

function transportOf(mail: Exclude<MailConfig, { transport: 'mailbox' }>): MailTransport {
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
      (stepUps, totp, clock, policy) => new VerifyOtp(stepUps, totp, clock, policy),
      [StepUps, Totp, Clock, Policy],
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
      (outbox, totp, composer, transport, clock) => new DeliverOtp(outbox, totp, composer, transport, clock),
      [OtpOutbox, Totp, OtpMailComposer, MailTransport, Clock],
    )
}

function bindHttp(container: Container, { production, policy }: Config, logger: Logger): void {
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
        putUser: PutUser | undefined,
        eraseUser: EraseUser | undefined,
      ) => userRoutes(authentication, { findUser, putUser, eraseUser }),
      [
        Authentication,
        FindUser,
        { serviceIdentifier: PutUser, optional: true },
        { serviceIdentifier: EraseUser, optional: true },
      ],
    )
  container
    .bind(ServiceRoutes)
    .toResolvedValue(
      (signer, database, deliverer) => serviceRoutes([database, deliverer], signer),
      [ChallengeSigner, DatabaseHealth, Deliverer],
    )
  container.bind(DevelopmentRoutes).toResolvedValue(
    (mailbox: Mailbox | undefined, tokenIssuer: TokenIssuer | undefined) =>
      developmentRoutes(mailbox, tokenIssuer),
    [
      { serviceIdentifier: Mailbox, optional: true },
      { serviceIdentifier: TokenIssuer, optional: true },
    ],
  )
  const routers = [TotpEmailRoutes, ChallengeRoutes, UserRoutes, ServiceRoutes]
  container
    .bind(Server)
    .toResolvedValue(
      (requests: RequestsUnderWay, ...all: Router[]) => createHttpServer(all, requests, logger),
      [RequestsUnderWay, ...(production ? routers : [...routers, DevelopmentRoutes])],
    )
}

/** A key of the development set-up in the place of configured ones. */
function standIn(key: string | undefined): Keys {
  if (!key) throw new Error('without configured keys there must be development keys')
  return [{ id: 'development', bytes: Buffer.from(key, 'base64') }]
}
