import type { RequestListener } from 'node:http'
import { Container, ContainerModule } from 'inversify'
import type { Registry } from 'prom-client'
import { clientAddress } from '../adapters/http-koa/edge/client-address.ts'
import { SUPPORT } from '../adapters/http-koa/paths.ts'
import { AgentSessions } from '../adapters/http-koa/support/agent-sessions.ts'
import { SealedCookies } from '../adapters/http-koa/support/sealed-cookies.ts'
import { supportDesk } from '../adapters/http-koa/support/support-desk.ts'
import { timesIn } from '../adapters/http-koa/support/times.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { OpenidSignIn } from '../adapters/sign-in-openid/openid-sign-in.ts'
import { ReviewChallenge } from '../application/challenges/review-challenge.ts'
import { LiftSuppression } from '../application/mail/lift-suppression.ts'
import { AuditTrail } from '../application/ports/audit-trail.ts'
import { Clock } from '../application/ports/clock.ts'
import { FindMarkedChallenges } from '../application/support/find-marked-challenges.ts'
import { FindSubject } from '../application/support/find-subject.ts'
import { FindSubjectsOfMailbox } from '../application/support/find-subjects-of-mailbox.ts'
import { ListChallenges } from '../application/support/list-challenges.ts'
import { UnlockSubject } from '../application/support/unlock-subject.ts'
import type { SupportConfig } from '../config/read-config.ts'
import { bindClass } from './bind-class.ts'
import { codes } from './codes.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'
import { connections } from './connections.ts'
import { Policy, StorageConnections } from './container-keys.ts'
import { observing, observingMails } from './observing.ts'
import { seals } from './seals.ts'
import { storage } from './storage.ts'
import { useCases } from './use-cases.ts'
import { users } from './users.ts'

/** An agent looks at one page at a time, and a page asks for two things at most. */
const POOL_SIZE = 2

/** The assembled support desk. Nothing connects before the first page. */
export interface SupportDeskPages {
  /** Where its pages are, without a slash at the end. */
  readonly path: string
  readonly answer: RequestListener
  readonly metrics: Registry
  close(): Promise<void>
}

/**
 * Assembles the support desk with connections of its own, because it runs in the process that has the management port. With several
 * workers that is their supervisor, which has nothing else of the service.
 */
export function createSupportDesk(
  support: SupportConfig,
  options: Pick<CompositionOptions, 'config' | 'databaseUrl' | 'development' | 'logger'>,
): SupportDeskPages {
  const { config, databaseUrl, logger } = options
  const otpKeys = config.otpKeys ?? standIns(options).otpKeys
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(
    observing(logger, undefined),
    observingMails(),
    connections(databaseUrl, config.databaseSharding, POOL_SIZE),
    storage(),
    users(options),
    codes(otpKeys, config.policy.codeDigits),
    seals(otpKeys, config.unsealedUntil),
    useCases(options),
    reviews(),
  )
  const clock = container.get(Clock)
  const sessions = new AgentSessions(
    new SealedCookies(otpKeys, { secure: support.origin.startsWith('https:') }),
    clock,
    { seconds: support.sessionInSeconds },
  )
  const answer = supportDesk({
    ...{ sessions, clock, logger },
    origin: support.origin,
    signIn: new OpenidSignIn({ ...support, redirectUri: `${support.origin}${SUPPORT}/callback` }, clock),
    times: timesIn(config.letter.timeZone),
    addressOf: clientAddress(config.trustedProxies),
    useCases: {
      reviewChallenge: container.get(ReviewChallenge),
      trail: container.get(AuditTrail),
      findSubject: container.get(FindSubject),
      listChallenges: container.get(ListChallenges),
      findMarkedChallenges: container.get(FindMarkedChallenges),
      findSubjectsOfMailbox: container.get(FindSubjectsOfMailbox),
      unlockSubject: container.get(UnlockSubject),
      liftSuppression: container.get(LiftSuppression),
    },
  })
  return {
    path: SUPPORT,
    answer,
    metrics: container.get(Metrics).registry,
    close: () => container.get(StorageConnections).close(),
  }
}

/** A look must change nothing. So it loads rows past the check of the address, which may cancel a challenge. */
function reviews(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindClass(bind, ReviewChallenge, [PrismaStepUps, AuditTrail, Clock, Policy])
  })
}
