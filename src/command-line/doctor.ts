import { setTimeout as wait } from 'node:timers/promises'
import { styleText } from 'node:util'
import { KeycloakCheck } from '../adapters/directory-keycloak/keycloak-check.ts'
import { KeycloakUserDirectory } from '../adapters/directory-keycloak/keycloak-user-directory.ts'
import { IssuerCheck } from '../adapters/identity-jose/issuer-check.ts'
import { PostmarkCheck } from '../adapters/mail-postmark/postmark-check.ts'
import { SmtpCheck } from '../adapters/mail-smtp/smtp-check.ts'
import { DatabaseCheck } from '../adapters/persistence-prisma/connection/database-check.ts'
import { type Database, openDatabase } from '../composition/open-database.ts'
import { type Config, ConfigError, loadConfig, type MailConfig } from '../config/read-config.ts'
import { CheckResult, type DiagnosticCheck } from '../contracts/diagnostic-check.ts'
import { keyCheckResults } from './key-findings.ts'
import { aligned, type Output, print } from './terminal.ts'

/** What has not come to an end by then is told as it is. */
const TIMEOUT_IN_MS = 8000

const CLOCK = { now: () => new Date() }

/** Examines all that the service needs, and says what was found and what to do. 1 if anything failed. */
export async function doctor(output: Output): Promise<number> {
  const findings = await examineAll()
  const failed = findings.filter(({ level }) => level === 'failed').length
  const warnings = findings.filter(({ level }) => level === 'warning').length
  const status = failed > 0 ? 'failed' : warnings > 0 ? 'warning' : 'ok'
  const summary = status === 'ok' ? 'All is well.' : `${failed} failed, ${warnings} to be looked at.`

  print({ status, checks: findings }, `${textOf(findings)}\n\n${summary}`, output)
  return failed > 0 ? 1 : 0
}

async function examineAll(): Promise<readonly CheckResult[]> {
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
    ...keyCheckResults(config, CLOCK.now()),
  ]

  let database: Database
  try {
    database = await openDatabase(config)
  } catch (error) {
    own.push(CheckResult.failed('database', 'the embedded one does not start', (error as Error).message))
    return own
  }
  try {
    const findings = await Promise.all(examinations(config, database.url).map(findingsOf))
    return [...own, ...findings.flat()]
  } finally {
    await database.stop()
  }
}

function examinations(config: Config, url: string): readonly DiagnosticCheck[] {
  const { production, auth, keycloak, mail, postmarkWebhookAuth } = config
  return [
    new DatabaseCheck({ url, production }, CLOCK),
    auth ? new IssuerCheck(auth.jwksUrl) : standIn('issuer', 'the built-in one of development'),
    ...(keycloak ? [new KeycloakCheck(new KeycloakUserDirectory(keycloak, CLOCK))] : []),
    ...(mail?.map((each) => mailCheck(each, postmarkWebhookAuth !== undefined)) ?? [
      standIn('mail', 'the mailbox of development, which sends nothing'),
    ]),
  ]
}

function mailCheck(mail: MailConfig, hearsReports: boolean): DiagnosticCheck {
  switch (mail.transport) {
    case 'smtp':
      return new SmtpCheck(mail)
    case 'postmark':
      return new PostmarkCheck(mail, hearsReports)
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

/** What an examination finds within its time. */
async function findingsOf(examination: DiagnosticCheck): Promise<readonly CheckResult[]> {
  const findings: CheckResult[] = []
  const end = new AbortController()
  const examined = async () => {
    for await (const finding of examination.run()) findings.push(finding)
  }
  const timedOut = async () => {
    await wait(TIMEOUT_IN_MS, undefined, { signal: end.signal, ref: true })
    findings.push(
      CheckResult.failed(
        examination.name,
        `no end within ${TIMEOUT_IN_MS / 1000} s`,
        'See whether something on the way drops packets without a word, a firewall for one',
      ),
    )
  }
  const timeout = timedOut().catch(() => {})
  await Promise.race([examined(), timeout])
  end.abort()
  return [...findings]
}

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const

function textOf(findings: readonly CheckResult[]): string {
  const table = aligned(findings.map(({ level, name, found }) => [level, name, found])).split('\n')
  return findings
    .flatMap(({ level, remedy }, index) => {
      // Coloured where the terminal is one and nobody asked for none (NO_COLOR).
      const mark = styleText(COLOURS[level], level, { stream: process.stdout })
      const line = table[index]!.replace(level, mark)
      return remedy ? [line, `         ${remedy}`] : [line]
    })
    .join('\n')
}
