import Router from '@koa/router'
import { backstageRoutes } from './backstage-routes.ts'
import { bankRoutes } from './bank-routes.ts'
import { ChallengeEvents } from './challenge-events.ts'
import { CustomerDirectory } from './customer-directory.ts'
import { pageFiles } from './page-files.ts'
import { Visits } from './visits.ts'

/**
 * A small bank beside the service, in development. It shows what an integrator builds with the kit, and a stage on which
 * visitors can watch it work. It shares the service's origin, as behind a gateway, and uses the service only over HTTP.
 */
export class DemoBank {
  readonly router = new Router({ sensitive: true, strict: true })

  /** Adds the routes, once the service listens and its URL is known. */
  open(countersignUrl: string): void {
    const visits = new Visits()
    const directory = new CustomerDirectory(countersignUrl)
    const events = new ChallengeEvents(countersignUrl)
    for (const router of [
      pageFiles(),
      bankRoutes(countersignUrl, visits, directory, events),
      backstageRoutes(countersignUrl, visits, directory, events),
    ]) {
      this.router.use(router.routes())
    }
  }
}
