import { Server } from 'node:http'
import type Router from '@koa/router'
import { ContainerModule } from 'inversify'
import type { Logger } from 'pino'
import { challengeRoutes } from '../adapters/http-koa/challenges/routes.ts'
import { documentationRoutes } from '../adapters/http-koa/documentation/routes.ts'
import { Authentication } from '../adapters/http-koa/edge/authentication.ts'
import { clientAddress } from '../adapters/http-koa/edge/client-address.ts'
import { createHttpServer } from '../adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../adapters/http-koa/edge/in-flight-requests.ts'
import { Readiness } from '../adapters/http-koa/edge/readiness.ts'
import { serviceRoutes } from '../adapters/http-koa/service/routes.ts'
import { totpEmailRoutes } from '../adapters/http-koa/totp-email/routes.ts'
import { userRoutes } from '../adapters/http-koa/users/routes.ts'
import type { IssuerKeys } from '../adapters/identity-jose/issuer-keys.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { RequestMetrics } from '../adapters/metrics-prometheus/request-metrics.ts'
import { DatabaseHealth } from '../adapters/persistence-prisma/connection/database-health.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { AuditChallenge } from '../application/challenges/audit-challenge.ts'
import { CancelChallenge } from '../application/challenges/cancel-challenge.ts'
import { ConsumeChallenge } from '../application/challenges/consume-challenge.ts'
import { InspectChallenge } from '../application/challenges/inspect-challenge.ts'
import { OpenChallenge } from '../application/challenges/open-challenge.ts'
import { IssueOtp } from '../application/codes/issue-otp.ts'
import { VerifyOtp } from '../application/codes/verify-otp.ts'
import { LiftSuppression } from '../application/mail/lift-suppression.ts'
import { AccessTokens } from '../application/ports/access-tokens.ts'
import { ChallengeSigner } from '../application/ports/challenge-signer.ts'
import { ExportSubject } from '../application/support/export-subject.ts'
import { FindSubject } from '../application/support/find-subject.ts'
import { ListChallenges } from '../application/support/list-challenges.ts'
import { UnlockSubject } from '../application/support/unlock-subject.ts'
import { EraseUser } from '../application/users/erase-user.ts'
import { FindUser } from '../application/users/find-user.ts'
import { PutUser } from '../application/users/put-user.ts'
import { bindClass } from './bind-class.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Issuer, Log, Routes, Traces } from './container-keys.ts'

/** The HTTP API. Its routers are tried in the order in which they are bound, so the busiest come first. */
export function http({
  config,
  development,
  extraRouter,
  deliverer,
  requests,
}: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(InFlightRequests).toConstantValue(new InFlightRequests(requests))
    bindClass(bind, Authentication, [AccessTokens])
    bind(Routes).toResolvedValue(
      (authentication, issueOtp, verifyOtp) =>
        totpEmailRoutes(authentication, { issueOtp, verifyOtp }, config.policy),
      [Authentication, IssueOtp, VerifyOtp],
    )
    bind(Routes).toResolvedValue(
      (
        authentication,
        openChallenge,
        listChallenges,
        inspectChallenge,
        consumeChallenge,
        cancelChallenge,
        auditChallenge,
      ) =>
        challengeRoutes(authentication, {
          ...{ openChallenge, listChallenges, inspectChallenge, consumeChallenge, cancelChallenge },
          auditChallenge,
        }),
      [
        ...([Authentication, OpenChallenge, ListChallenges, InspectChallenge, ConsumeChallenge] as const),
        ...([CancelChallenge, AuditChallenge] as const),
      ],
    )
    bind(Routes).toResolvedValue(
      (
        authentication: Authentication,
        findUser: FindUser,
        liftSuppression: LiftSuppression,
        findSubject: FindSubject,
        unlockSubject: UnlockSubject,
        exportSubject: ExportSubject,
        eraseUser: EraseUser,
        putUser: PutUser | undefined,
      ) =>
        userRoutes(authentication, {
          ...{ findUser, liftSuppression, findSubject, unlockSubject, exportSubject, eraseUser, putUser },
        }),
      [
        ...([Authentication, FindUser, LiftSuppression, FindSubject] as const),
        ...([UnlockSubject, ExportSubject, EraseUser] as const),
        { serviceIdentifier: PutUser, optional: true },
      ],
    )
    bind(Readiness).toResolvedValue(
      (database: DatabaseHealth, issuer: IssuerKeys | undefined, logger: Logger) =>
        new Readiness([database, deliverer, ...(issuer ? [issuer.health] : [])], {
          onChange: ({ ready, checks }) =>
            ready ? logger.info('ready again') : logger.warn({ checks }, 'not ready'),
        }),
      [DatabaseHealth, { serviceIdentifier: Issuer, optional: true }, Log],
    )
    bind(Routes).toResolvedValue(serviceRoutes, [Readiness, ChallengeSigner])
    if (config.docs) bind(Routes).toResolvedValue(() => documentationRoutes())
    if (development) bind(Routes).toConstantValue(development.router)
    if (extraRouter) bind(Routes).toConstantValue(extraRouter)

    bind(Server).toResolvedValue(
      (
        routers: Router[],
        requests: InFlightRequests,
        metrics: Metrics,
        tracing: Tracing | undefined,
        logger: Logger,
      ) =>
        createHttpServer(routers, requests, logger, {
          observer: new RequestMetrics(metrics),
          addressOf: clientAddress(config.trustedProxies),
          traces: tracing?.requests,
        }),
      [{ serviceIdentifier: Routes, isMultiple: true }, InFlightRequests, Metrics, Traces, Log],
    )
  })
}
