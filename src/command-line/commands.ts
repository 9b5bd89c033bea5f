import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'

const EXIT_CODES = `
Exit codes: 0 success, 1 something failed, 2 the command or the configuration is invalid.
Configuration: environment variables, see docs/configuration.md and "countersign config check".`

const PACKAGE = new URL('../../package.json', import.meta.url)

/**
 * All commands, as `--help` shows them. Each has a file of its own, which is loaded only when the command runs: `--help` opens nothing,
 * and `serve` loads nothing of the other commands.
 */
export const program = new Command('countersign')
  .description("A user's countersignature on a sensitive operation.")
  .version((JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version)
  .addHelpText('after', EXIT_CODES)
  .showHelpAfterError('(see --help)')
  .exitOverride()

/** The document is for programs. The text may change with any version. */
const json = () => new Option('--json', 'print one JSON document instead of text')

program
  .command('serve')
  .description('run the service: HTTP API, mail and retention, in WORKERS processes')
  .action(async () => void (await import('../process/main.ts')))

program
  .command('deliver')
  .description('run a worker without an HTTP API: sends mail and runs retention')
  // main.ts reads the command from the arguments of the process.
  .action(async () => void (await import('../process/main.ts')))

program
  .command('migrate')
  .description('apply pending migrations; needs only DATABASE_URL')
  .addOption(json())
  .action(async (options) => end(await (await import('./migrate.ts')).migrate(options)))

const keys = program.command('keys').description('keys for OTP_KEYS, SIGNING_KEYS and DKIM_KEYS')
keys
  .command('generate')
  .description('print new keys as kid:base64, and explain the rotation on stderr')
  .addOption(
    new Option('--for <purpose>', 'print one key only, without its variable').choices(['otp', 'signing']),
  )
  .addOption(json())
  .action(async (options) => end((await import('./generate-keys.ts')).generateKeys(options)))
keys
  .command('generate-dkim <selector>')
  .description('print a new key for DKIM_KEYS, and the record that its domain has to publish on stderr')
  .addOption(json())
  .action(async (selector, options) =>
    end((await import('./generate-keys.ts')).generateDkimKey({ ...options, selector })),
  )

const users = program
  .command('users')
  .description('the user directory, if the service keeps it in its own database')
users
  .command('import <file>')
  .description('import users from a file (.csv, .tsv, .txt or .jsonl)')
  .option('--all-or-nothing', 'store nothing if any line is rejected')
  .addOption(json())
  .addHelpText(
    'after',
    `
Fields: userId, email, locale (optional), displayName (optional). A rejected line is reported with its number
and skipped; the exit code is then 1.`,
  )
  .action(async (file, options) => end(await (await import('./import-users.ts')).importUsers(file, options)))

const challenge = program.command('challenge').description('challenges, as an operator sees them')
challenge
  .command('show <id>')
  .description('show the state and the audit trail of a challenge, without codes and addresses')
  .addOption(json())
  .action(async (id, options) => end(await (await import('./show-challenge.ts')).showChallenge(id, options)))

const webhooks = program.command('webhooks').description('the endpoints that get the events of services')
webhooks
  .command('list')
  .description('list every endpoint: its URL, who registered it, and whether it is paused')
  .addOption(json())
  .action(async (options) => end(await (await import('./webhooks.ts')).listWebhooks(options)))
webhooks
  .command('secret <clientId>')
  .description('print the secret with which a service checks its events')
  .option('--rotate', 'make a new secret first; the one before stays valid beside it')
  .option('--leaked', 'make a new secret first; all before it end at once')
  .addOption(json())
  .action(async (clientId, options) =>
    end(await (await import('./webhooks.ts')).showWebhookSecret(clientId, options)),
  )
webhooks
  .command('replay <clientId>')
  .description('deliver events again that were delivered, or given up')
  .option('--after <position>', 'those with a later position')
  .option('--since <time>', 'those that were stored since then, as in 2030-01-31T18:00:00Z')
  .addOption(json())
  .action(async (clientId, options) =>
    end(await (await import('./webhooks.ts')).replayEvents(clientId, options)),
  )
webhooks
  .command('pause <clientId>')
  .description('stop deliveries until you resume them; events are stored all the same')
  .addOption(json())
  .action(async (clientId, options) =>
    end(await (await import('./webhooks.ts')).pauseWebhook(clientId, true, options)),
  )
webhooks
  .command('resume <clientId>')
  .description('resume deliveries that were paused')
  .addOption(json())
  .action(async (clientId, options) =>
    end(await (await import('./webhooks.ts')).pauseWebhook(clientId, false, options)),
  )

const trail = program.command('trail').description('the audit trail as a whole')
trail
  .command('verify')
  .description('find what was changed in the audit trail, taken out of it or added to it')
  .option('--anchors <file>', 'also compare with the lines "trail anchored" of a log that was kept elsewhere')
  .option('--keys <file>', 'a JWK Set with retired SIGNING_KEYS, as /.well-known/jwks.json had them')
  .addOption(json())
  .addHelpText(
    'after',
    `
Needs only DATABASE_URL and, for the signatures, SIGNING_KEYS or --keys. Reads the whole trail and changes nothing.`,
  )
  .action(async (options) => end(await (await import('./verify-trail.ts')).verifyTrail(options)))

program
  .command('purge')
  .description(
    'delete what is past RETENTION_DAYS or TRAIL_RETENTION_DAYS now, as every process does on schedule',
  )
  .addOption(json())
  .action(async (options) => end(await (await import('./purge.ts')).purge(options)))

const config = program.command('config').description('the configuration')
config
  .command('check')
  .description('list every problem, or each value in force with its source')
  .addOption(json())
  .action(async (options) => end((await import('./check-config.ts')).checkConfig(options)))

program
  .command('doctor')
  .description('check configuration, keys, database, issuer and mail system, and say how to fix what fails')
  .option('--received-mail <file>', 'also verify the source of a mail of this service that has arrived')
  .addOption(json())
  // Exit at once: a check that hangs would keep the process alive.
  .action(async (options) => process.exit(await (await import('./doctor.ts')).doctor(options)))

/** Sets the exit code and lets the process end by itself, so that pending output is still written. */
function end(exitCode: number): void {
  process.exitCode = exitCode
}
