import { ContainerModule } from 'inversify'
import { KeycloakUserDirectory } from '../adapters/directory-keycloak/keycloak-user-directory.ts'
import { PrismaClient } from '../adapters/persistence-prisma/generated/client.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../adapters/persistence-prisma/users/prisma-user-registry.ts'
import { AddressCheckedStepUps } from '../application/challenges/address-checked-step-ups.ts'
import { Clock } from '../application/ports/clock.ts'
import { Standings } from '../application/ports/standings.ts'
import { StepUps } from '../application/ports/step-ups.ts'
import { ExternalUserDirectory, UserDirectory, UserRegistry } from '../application/ports/user-directory.ts'
import { FindSubject } from '../application/support/find-subject.ts'
import { EraseUser } from '../application/users/erase-user.ts'
import { PutUser } from '../application/users/put-user.ts'
import { User } from '../domain/user.ts'
import { bindClass, bindPort } from './bind-class.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Commits, Policy, Traces } from './container-keys.ts'

/** Where the users' addresses are kept: in Keycloak, or in the service's own database. */
export function users({
  config: { keycloak },
  logger,
}: Pick<CompositionOptions, 'config' | 'logger'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindClass(bind, PrismaUserRegistry, [PrismaClient, Commits])
    // It forgets what the service itself keeps about a user, wherever their entry is.
    bindClass(bind, EraseUser, [PrismaUserRegistry, Clock, Policy])
    if (keycloak) {
      bind(ExternalUserDirectory).toResolvedValue(
        (clock, tracing) =>
          new KeycloakUserDirectory(
            {
              ...keycloak,
              fetch: tracing?.fetch,
              onUnreadableLocale: (subject) => logger.warn({ subject }, 'locale unreadable'),
            },
            clock,
          ),
        [Clock, Traces],
      )
      bind(UserDirectory).toService(ExternalUserDirectory)
      bind(FindSubject).toResolvedValue(
        (standings, directory, clock, policy) =>
          new FindSubject(standings, (userId) => directory.locate(userId), clock, policy),
        [Standings, ExternalUserDirectory, Clock, Policy],
      )
      // Keycloak does not say when an address changes or a user goes, so each load of a challenge asks.
      bindPort(bind, StepUps, AddressCheckedStepUps, [PrismaStepUps, ExternalUserDirectory])
    } else {
      bind(UserRegistry).toService(PrismaUserRegistry)
      bind(UserDirectory).toService(UserRegistry)
      bind(StepUps).toService(PrismaStepUps)
      bind(FindSubject).toResolvedValue(
        (standings, registry, clock, policy) =>
          new FindSubject(
            standings,
            async (userId) => User.whereabouts(await registry.find(userId)),
            clock,
            policy,
          ),
        [Standings, UserRegistry, Clock, Policy],
      )
      bindClass(bind, PutUser, [UserRegistry, Clock])
    }
  })
}
