import type Router from '@koa/router'
import type { Config } from '../config/read-config.ts'

/** The demo bank of a checkout, as far as the service knows it. */
export interface DemoBank {
  readonly router: Router
  /** Opens it, once it is known where the service listens. */
  open(countersignUrl: string): void
}

const DEMO_BANK = new URL('../../examples/bank/demo-bank.ts', import.meta.url).href

/**
 * Loads the demo bank, which needs the issuer, the user directory and the mailbox of development. An installed package has no bank,
 * and a checkout without development dependencies lacks the packages that the bank imports.
 */
export async function loadDemoBank({
  auth,
  keycloak,
  mail,
}: Pick<Config, 'auth' | 'keycloak' | 'mail'>): Promise<DemoBank | undefined> {
  if (auth || keycloak || mail) return undefined
  try {
    const { DemoBank } = (await import(DEMO_BANK)) as { DemoBank: new () => DemoBank }
    return new DemoBank()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
