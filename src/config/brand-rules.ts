import { brands, domainOf } from './brands.ts'
import type { ConfigWarning } from './config-warning.ts'
import type { Environment } from './environment.ts'
import { dkimKeys, mailbox } from './formats.ts'

/** Reports what is wrong between the brands and other variables. Each of them alone is checked elsewhere. */
export function brandRules(env: Environment): readonly string[] {
  const problems: string[] = []
  const withBounces = [...brandsIn(env)].filter(([, { bounceDomain }]) => bounceDomain !== undefined)
  if (withBounces.length > 0 && !env.BOUNCE_DOMAIN) {
    const [clientId] = withBounces[0]!
    problems.push(
      `BRANDS of ${JSON.stringify(clientId)}: bounceDomain needs BOUNCE_DOMAIN, the domain of the other mails`,
    )
  }
  const domains = senderDomains(env)
  for (const { id, domain } of keysIn(env)) {
    if (domain !== undefined && !domains.includes(domain)) {
      problems.push(
        `DKIM_KEYS key ${id} is for ${domain}, which sends no mail: correct the domain, or set it as the sender of a brand`,
      )
    }
  }
  return problems
}

/** The domains whose mails leave unsigned, although those of another one are signed. */
export function unsignedBrands(env: Environment): readonly ConfigWarning[] {
  const keys = keysIn(env)
  if (keys.length === 0) return []
  const [standard, ...others] = senderDomains(env)
  const signed = keys.map(({ domain = standard }) => domain)
  return others
    .filter((domain) => !signed.includes(domain))
    .map((domain) => ({
      variable: 'DKIM_KEYS',
      found: `has no key for ${domain}, from which mails of a brand come: they leave unsigned`,
      remedy: `Add a key as selector@${domain}:base64, unless the relay signs for ${domain} (docs/sender-authentication.md)`,
    }))
}

/** The domains of the senders, each once. The first is that of `MAIL_FROM`. */
function senderDomains(env: Environment): readonly string[] {
  const standard = mailbox.safeParse(env.MAIL_FROM ?? '').data
  const ofBrands = [...brandsIn(env).values()].flatMap(({ from }) => from ?? [])
  return [...new Set([standard === undefined ? '' : domainOf(standard), ...ofBrands.map(domainOf)])]
}

function brandsIn(env: Environment) {
  return brands.safeParse(env.BRANDS ?? '{}').data ?? new Map<string, never>()
}

function keysIn(env: Environment) {
  return dkimKeys.safeParse(env.DKIM_KEYS ?? '').data ?? []
}
