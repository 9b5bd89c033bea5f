import Router from '@koa/router'
import { backstageRoutes } from './backstage-routes.ts'
import { bankRoutes } from './bank-routes.ts'
import { CustomerDirectory } from './customer-directory.ts'
import { pageFiles } from './page-files.ts'
import { Visits } from './visits.ts'
/**
 * A small bank beside the service, in development: what an integrator builds with the kit, and a stage on which one can see it
 * at work. It shares the service's origin, as behind a gateway, and nothing else: it knows the service by HTTP alone.
 */
export class DemoBank {
  router = new Router({ sensitive: true, strict: true })
  /** Opens the doors, once it is known where the service listens. */
  open(countersignUrl) {
    const visits = new Visits()
    const directory = new CustomerDirectory(countersignUrl)
    for (const part of [
      pageFiles(),
      bankRoutes(countersignUrl, visits, directory),
      backstageRoutes(countersignUrl, visits, directory),
    ]) {
      this.router.use(part.routes())
    }
  }
}
