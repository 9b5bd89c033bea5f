import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { styleText } from 'node:util'
import { HmacBounceAddresses } from '../adapters/bounce-addresses-hmac/hmac-bounce-addresses.ts'
import { KeycloakCheck } from '../adapters/directory-keycloak/keycloak-check.ts'
import { KeycloakUserDirectory } from '../adapters/directory-keycloak/keycloak-user-directory.ts'
import { IssuerCheck } from '../adapters/identity-jose/issuer-check.ts'
import { BounceDomainCheck } from '../adapters/mail-authentication/bounce-domain-check.ts'
import { mailResolver } from '../adapters/mail-authentication/mail-resolver.ts'
import { ReceivedMailCheck } from '../adapters/mail-authentication/received-mail-check.ts'
import { SenderDomainCheck } from '../adapters/mail-authentication/sender-domain-check.ts'
import { PostmarkCheck } from '../adapters/mail-postmark/postmark-check.ts'
import { postmarkRemedyOf } from '../adapters/mail-postmark/postmark-remedies.ts'
import { dkimSigner } from '../adapters/mail-smtp/dkim-signer.ts'
import { SmtpCheck } from '../adapters/mail-smtp/smtp-check.ts'
import { smtpRemedyOf } from '../adapters/mail-smtp/smtp-remedies.ts'
import { smtpSender } from '../adapters/mail-smtp/smtp-sender.ts'
import { DatabaseCheck } from '../adapters/persistence-prisma/connection/database-check.ts'
import { type Database, openDatabase } from '../composition/open-database.ts'
import { withStorage } from '../composition/tooling.ts'
import { loadWarnings } from '../config/config-warnings.ts'
import {
  type Config,
  ConfigError,
  loadConfig,
  type MailConfig,
  type SupportConfig,
} from '../config/read-config.ts'
import { CheckResult, type DiagnosticCheck } from '../contracts/diagnostic-check.ts'
import type { Sender } from '../domain/brand.ts'
import { DomainName } from '../domain/domain-name.ts'
import { keyCheckResults } from './key-check-results.ts'
import { aligned, type Output, print } from './terminal.ts'
import { webhookCheckResults } from './webhook-check-results.ts'

/** Checks that are still running after this time are reported as timed out. */
const TIMEOUT_IN_MS = 8000

const CLOCK = { now: () => new Date() }

interface Options extends Output {
  /** A file with the source of a mail that has arrived. */
  readonly receivedMail?: string
}

/** Checks everything that the service needs, and prints what it found and how to fix it. 1 if a check failed. */
export async function doctor({ receivedMail, ...output }: Options): Promise<number> {
  const results = await checkAll(receivedMail)
  const failed = results.filter(({ level }) => level === 'failed').length
  const warnings = results.filter(({ level }) => level === 'warning').length
  const status = failed > 0 ? 'failed' : warnings > 0 ? 'warning' : 'ok'
  const summary = status === 'ok' ? 'All is well.' : `${failed} failed, ${warnings} with a warning.`

  print({ status, checks: results }, `${textOf(results)}\n\n${summary}`, output)
  return failed > 0 ? 1 : 0
}

async function checkAll(receivedMail: string | undefined): Promise<readonly CheckResult[]> {
  let config: Config
  try {
    config = loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) =>
      CheckResult.failed('configuration', problem, 'countersign config check; docs/configuration.md'),
    )
  }
  const mode = config.production ? 'production' : 'development'
  const own = [
    CheckResult.ok('configuration', `complete, for ${mode}`),
    ...loadWarnings().map(({ variable, found, remedy }) =>
      CheckResult.warning('configuration', `${variable} ${found}`, remedy),
    ),
    ...keyCheckResults(config, CLOCK.now()),
  ]

  let database: Database
  try {
    database = await openDatabase(config)
  } catch (error) {
    own.push(CheckResult.failed('database', 'the embedded database does not start', (error as Error).message))
    return own
  }
  try {
    const all = [...checks(config, database.url), ...(await senderChecks(config, receivedMail))]
    const results = await Promise.all(all.map(resultsOf))
    return [...own, ...results.flat()]
  } finally {
    await database.stop()
  }
}

function checks(config: Config, url: string): readonly DiagnosticCheck[] {
  const { production, auth, databaseSharding, keycloak, mail, support } = config
  return [
    new DatabaseCheck({ url, production, sharding: databaseSharding, mailRemedyOf }, CLOCK),
    webhooksCheck(config, url),
    auth ? new IssuerCheck(auth, CLOCK) : standIn('issuer', 'the built-in issuer of development'),
    ...(support ? [supportCheck(support)] : []),
    ...(keycloak ? [new KeycloakCheck(new KeycloakUserDirectory(keycloak, CLOCK))] : []),
    ...(mail?.map((each) => mailCheck(each, config)) ?? [
      standIn('mail', 'the mailbox of development, which sends no mail'),
    ]),
  ]
}

/** Yields nothing if the endpoints cannot be read: the check of the database says why. */
function webhooksCheck(config: Config, url: string): DiagnosticCheck {
  return {
    name: 'webhooks',
    async *run() {
      const endpoints = await withStorage({ ...config, databaseUrl: url }, ({ webhookEndpoints }) =>
        webhookEndpoints.all(),
      ).catch(() => undefined)
      if (endpoints) yield* webhookCheckResults(endpoints, config)
    },
  }
}

/** Loads the client of OpenID Connect only for an installation with a desk. */
function supportCheck(support: SupportConfig): DiagnosticCheck {
  return {
    name: 'support-sign-in',
    async *run() {
      const { SignInCheck } = await import('../adapters/sign-in-openid/sign-in-check.ts')
      yield* new SignInCheck(support).run()
    },
  }
}

function mailRemedyOf(reply: string): string | undefined {
  return smtpRemedyOf(reply) ?? postmarkRemedyOf(reply)
}

function mailCheck(
  mail: MailConfig,
  { bounces, brands, otpKeys, postmarkWebhookAuth }: Config,
): DiagnosticCheck {
  switch (mail.transport) {
    case 'smtp': {
      const bounceAddresses = bounces && otpKeys && new HmacBounceAddresses(otpKeys, bounces.domain)
      return new SmtpCheck({ ...mail, bounceAddresses }, sendersOf(mail, brands).slice(1))
    }
    case 'postmark':
      return new PostmarkCheck(mail, postmarkWebhookAuth !== undefined)
  }
}

/** The sender of `MAIL_FROM`, then those of brands: each pair of an address and a bounce domain once. */
function sendersOf(mail: MailConfig, brands: Config['brands']): readonly Sender[] {
  const all = [mail, ...Array.from(brands.values(), ({ sender }) => sender)]
  const kinds = new Map<string, Sender>()
  for (const sender of all) {
    const { from, replyTo, bounceDomain }: Sender = { bounceDomain: undefined, ...sender }
    const kind = `${smtpSender(from).address.toLowerCase()} ${bounceDomain ?? ''}`
    if (!kinds.has(kind)) kinds.set(kind, { from, replyTo, bounceDomain })
  }
  return [...kinds.values()]
}

/** The checks of each sender's domain. In development there may be none: `localhost` publishes nothing. */
async function senderChecks(
  { mail, bounces, brands, nameServers }: Config,
  receivedMail: string | undefined,
): Promise<readonly DiagnosticCheck[]> {
  const senders = mail ? sendersOf(mail[0]!, brands) : []
  const domains = [...new Set(senders.map(({ from }) => smtpSender(from).domain.toLowerCase()))]
  if (!mail || !domains.every(DomainName.isFull)) {
    return receivedMail === undefined ? [] : [unusable('no mail leaves for a domain of its own', 'MAIL_FROM')]
  }
  const resolver = mailResolver(nameServers)
  const smtp = mail.find((each) => each.transport === 'smtp')
  const keysOf = (from: string) =>
    (smtp?.dkimKeys ?? [])
      .filter(({ domain }) => domain === from)
      .map((key) => ({
        selector: key.id,
        signedSample: () =>
          dkimSigner(key, from)(Buffer.from(`From: postmaster@${from}\r\n\r\nA sample.\r\n`)),
      }))
  const pairs = senders.map(({ from, bounceDomain }) => {
    const domain = smtpSender(from).domain.toLowerCase()
    return { from: domain, envelope: smtp && (bounceDomain ?? bounces?.domain ?? domain) }
  })
  const own = [
    ...unique(pairs).map((each) => new SenderDomainCheck(each, keysOf(each.from), resolver)),
    ...unique([bounces?.domain, ...(bounces?.brandDomains ?? [])]).flatMap((each) =>
      each === undefined ? [] : new BounceDomainCheck(each, resolver),
    ),
  ]
  if (receivedMail === undefined) return own
  try {
    return [...own, new ReceivedMailCheck(await readFile(receivedMail), domains, resolver)]
  } catch (error) {
    return [...own, unusable('the file cannot be read', (error as NodeJS.ErrnoException).code ?? '')]
  }
}

function unique<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

/** Stands for the check of a mail that cannot be checked. */
function unusable(found: string, remedy: string): DiagnosticCheck {
  return {
    name: 'received-mail',
    async *run() {
      yield CheckResult.failed('received-mail', found, `Check --received-mail (${remedy})`)
    },
  }
}

function standIn(name: string, found: string): DiagnosticCheck {
  return {
    name,
    async *run() {
      yield CheckResult.ok(name, found)
    },
  }
}

/** The results that a check yields before its time is up. */
async function resultsOf(check: DiagnosticCheck): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  const end = new AbortController()
  const completed = async () => {
    for await (const result of check.run()) results.push(result)
  }
  const timedOut = async () => {
    await wait(TIMEOUT_IN_MS, undefined, { signal: end.signal, ref: true })
    results.push(
      CheckResult.failed(
        check.name,
        `timed out after ${TIMEOUT_IN_MS / 1000} s`,
        'Check whether something on the way, such as a firewall, drops packets silently',
      ),
    )
  }
  // It rejects when the check ends first.
  const timeout = timedOut().catch(() => {})
  await Promise.race([completed(), timeout])
  end.abort()
  return [...results]
}

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const

function textOf(results: readonly CheckResult[]): string {
  const table = aligned(results.map(({ level, name, found }) => [level, name, found])).split('\n')
  return results
    .flatMap(({ level, remedy }, index) => {
      // Coloured in a terminal only, unless NO_COLOR is set.
      const mark = styleText(COLOURS[level], level, { stream: process.stdout })
      const line = table[index]!.replace(level, mark)
      return remedy ? [line, `         ${remedy}`] : [line]
    })
    .join('\n')
}
