/**
 * A small bank beside the service, in development: what an integrator builds with the kit, and a stage on which one can see it
 * at work. It shares the service's origin, as behind a gateway, and nothing else: it knows the service by HTTP alone.
 */
export declare class DemoBank {
  readonly router: import('@koa/router').RouterWithMethods<
    string,
    import('koa').DefaultState,
    import('koa').DefaultContext
  >
  /** Opens the doors, once it is known where the service listens. */
  open(countersignUrl: string): void
}
