import { join } from 'node:path'
import type Router from '@koa/router'
import type { CandidateKeys } from '../adapters/identity-jose/issuer-keys.ts'
import type { AccessTokenRules } from '../adapters/identity-jose/jose-access-tokens.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { Keys } from '../config/formats.ts'
import type { Config } from '../config/read-config.ts'
import { type DemoBank, loadDemoBank } from './demo-bank.ts'
import { DevelopmentIssuer } from './development-issuer.ts'
import { type DevelopmentKeys, developmentKeys } from './development-keys.ts'
import { mailboxIn } from './mailbox-transport.ts'
import { developmentRoutes } from './routes.ts'

/*
 * The entry of this folder. A process that is not in production loads it with a dynamic import; a production process loads nothing
 * of the folder. The embedded database has an entry of its own (postgres/embedded-postgres.ts), because it starts while the rest of
 * the service is still being loaded. So does the mailbox (mailbox-transport.ts), because another thread writes it.
 */

/** Stand-ins for what production must configure. The composition uses each one only if its configuration is missing. */
export interface Development {
  /** In place of OTP_KEYS. */
  readonly otpKeys: Keys
  /** In place of SIGNING_KEYS. */
  readonly signingKeys: Keys
  /** In place of the identity provider: its public keys, and the rules that its tokens keep. */
  readonly issuer: { readonly keys: CandidateKeys; readonly rules: AccessTokenRules }
  /** The routes of the stand-ins that are in use. */
  readonly router: Router
  /** Loads the demo bank, if all stand-ins are in use and it is installed. */
  loadDemoBank(): Promise<DemoBank | undefined>
}

const ISSUER_RULES: AccessTokenRules = { issuer: 'countersign-development', audience: 'countersign' }

/** Creates the stand-ins with the keys of the data folder, which are generated at the first start. */
export async function loadDevelopment(config: Config): Promise<Development> {
  return createDevelopment(config, await developmentKeys(join(config.dataDir, 'keys.json')))
}

export function createDevelopment(
  config: Pick<Config, 'auth' | 'keycloak' | 'mail' | 'dataDir'>,
  keys: DevelopmentKeys,
  clock: Clock = { now: () => new Date() },
): Development {
  const { auth, mail, dataDir } = config
  const issuer = new DevelopmentIssuer(keys.issuerKey, ISSUER_RULES, clock)
  const mailbox = mailboxIn(dataDir, clock)
  return {
    otpKeys: configurable(keys.otpKey),
    signingKeys: configurable(keys.signingKey),
    issuer: { keys: issuer.keys(), rules: ISSUER_RULES },
    router: developmentRoutes(mail ? undefined : mailbox, auth ? undefined : issuer),
    loadDemoBank: () => loadDemoBank(config),
  }
}

/** A generated key in the form that a configured one has. */
function configurable(key: string): Keys {
  return [{ id: 'development', bytes: Buffer.from(key, 'base64') }]
}
