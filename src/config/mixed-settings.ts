import { databasePeer } from './database-peer.ts'
import type { Environment } from './environment.ts'
import { isLoopback } from './loopback.ts'
import type { VariableName } from './variables.ts'

/** What stands in outside production for a variable that is not set. */
const STAND_INS: readonly VariableName[] = ['AUTH_ISSUER', 'OTP_KEYS', 'SIGNING_KEYS', 'MAIL_TRANSPORT']

/**
 * Outside production, stand-ins replace what is missing: an issuer that gives anybody every token, a mailbox that shows every code, keys
 * in a folder. So all else has to stay on this machine as well. Otherwise a forgotten NODE_ENV puts these stand-ins in front of real data.
 */
export function mixedSettings(env: Environment): readonly string[] {
  if (!['development', 'test'].includes(env.NODE_ENV ?? 'development')) return []
  const outside = leadingOut(env)
  if (outside.length === 0) return []
  const missing = STAND_INS.filter((name) => !env[name] || env[name] === 'mailbox')
  const standIns = missing.length > 0 ? `, where stand-ins that anybody can use replace ${list(missing)}` : ''
  return [
    `${list(outside)} ${outside.length === 1 ? 'leads' : 'lead'} off this machine, but NODE_ENV is not production${standIns}: set NODE_ENV=production and what it then asks for, or keep ${list(outside)} on this machine`,
  ]
}

/** The variables in use that make the service listen, or connect, elsewhere than on this machine. */
function leadingOut(env: Environment): readonly string[] {
  const transports = env.MAIL_TRANSPORT?.split(/[, ]+/) ?? []
  const smtp = transports.includes('smtp')
  const leadsOut: readonly (readonly [name: VariableName, leadsOut: boolean])[] = [
    ['HOST', env.HOST !== undefined && !isLoopback(env.HOST)],
    [
      'BOUNCE_INTAKE_HOST',
      Boolean(env.BOUNCE_INTAKE_PORT) && !isLoopback(env.BOUNCE_INTAKE_HOST ?? 'localhost'),
    ],
    ['MANAGEMENT_HOST', env.MANAGEMENT_HOST !== undefined && !isLoopback(env.MANAGEMENT_HOST)],
    ['DATABASE_URL', databasePeer(env.DATABASE_URL ?? '', env)?.remote ?? false],
    ['AUTH_JWKS_URL', isElsewhere(env.AUTH_JWKS_URL)],
    ['KEYCLOAK_URL', env.USER_DIRECTORY === 'keycloak' && isElsewhere(env.KEYCLOAK_URL)],
    ['SUPPORT_ISSUER', isElsewhere(env.SUPPORT_ISSUER)],
    // Without an issuer of their own, support agents sign in at this one.
    ['AUTH_ISSUER', env.SUPPORT_ORIGIN !== undefined && !env.SUPPORT_ISSUER && isElsewhere(env.AUTH_ISSUER)],
    ['SMTP_URL', smtp && isElsewhere(env.SMTP_URL)],
    ['SMTP_OAUTH_TOKEN_URL', smtp && isElsewhere(env.SMTP_OAUTH_TOKEN_URL)],
    // Without a URL of its own, Postmark is where Postmark is.
    [
      env.POSTMARK_API_URL ? 'POSTMARK_API_URL' : 'MAIL_TRANSPORT',
      transports.includes('postmark') && (!env.POSTMARK_API_URL || isElsewhere(env.POSTMARK_API_URL)),
    ],
  ]
  return leadsOut.flatMap(([name, leads]) => (leads ? [name] : []))
}

/** A text that is no URL is a problem of its own. */
function isElsewhere(text: string | undefined): boolean {
  return text !== undefined && URL.canParse(text) && !isLoopback(new URL(text).hostname)
}

function list(names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names).replace(', and ', ' and ')
}
