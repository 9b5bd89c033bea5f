import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'

/*
 * The command line. What a command needs is loaded when it is run: `--help` opens nothing, and `serve` holds nothing of the others.
 */

/** All went well; something failed; the command or the configuration has to be put right first. */
const FAILED = 1
const MISUSED = 2

const EXIT_CODES = `
Exit codes: 0 all is well, 1 something failed, 2 the command or the configuration was not understood.
Configuration: environment variables, see docs/configuration.md and "countersign config check".`

const PACKAGE = new URL('../../package.json', import.meta.url)

const program = new Command('countersign')
  .description("A user's countersignature on a sensitive operation.")
  .version((JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version)
  .addHelpText('after', EXIT_CODES)
  .showHelpAfterError('(--help says more)')
  .exitOverride()

/** For programs; what is said to people may change with any version. */
const json = () => new Option('--json', 'print one JSON document instead of text')

program
  .command('serve')
  .description('run the service: HTTP, delivery of mails, retention (WORKERS processes)')
  .action(async () => void (await import('../process/main.ts')))

program
  .command('deliver')
  .description('run a process that serves nothing, and delivers mails and purges')
  // It finds out what it is from the same arguments.
  .action(async () => void (await import('../process/main.ts')))

program
  .command('migrate')
  .description('apply pending migrations to DATABASE_URL; nothing else ever does in production')
  .addOption(json())
  .action(async (options) => end(await (await import('./migrate.ts')).migrate(options)))

const keys = program.command('keys').description('keys for OTP_KEYS and SIGNING_KEYS')
keys
  .command('generate')
  .description('print new keys as kid:base64, and on stderr how to rotate to them')
  .addOption(new Option('--for <purpose>', 'one key, alone on its line').choices(['otp', 'signing']))
  .addOption(json())
  .action(async (options) => end((await import('./generate-keys.ts')).generateKeys(options)))

const users = program.command('users').description('the user directory, where this service keeps it itself')
users
  .command('import <file>')
  .description('put the users of a file (.csv or .jsonl) into the directory')
  .option('--all-or-nothing', 'store nothing if any line is refused')
  .addOption(json())
  .addHelpText(
    'after',
    `
Fields: userId, email, locale (optional), displayName (optional). A line that is refused is reported with its
number and left out, and the exit code is 1.`,
  )
  .action(async (file, options) => end(await (await import('./import-users.ts')).importUsers(file, options)))

const challenge = program.command('challenge').description('challenges, as an operator sees them')
challenge
  .command('show <id>')
  .description('tell how a challenge stands and what happened to it, without codes and addresses')
  .addOption(json())
  .action(async (id, options) => end(await (await import('./show-challenge.ts')).showChallenge(id, options)))

program
  .command('purge')
  .description('delete what is past RETENTION_DAYS now, as every process does on schedule')
  .addOption(json())
  .action(async (options) => end(await (await import('./purge.ts')).purge(options)))

const config = program.command('config').description('the configuration')
config
  .command('check')
  .description('list every problem, or what is in force and where it comes from')
  .addOption(json())
  .action(async (options) => end((await import('./check-config.ts')).checkConfig(options)))

program
  .command('doctor')
  .description('examine configuration, keys, database, issuer and mail system, and say what to do')
  .addOption(json())
  // What hangs would keep the process alive.
  .action(async (options) => process.exit(await (await import('./doctor.ts')).doctor(options)))

try {
  await program.parseAsync()
} catch (error) {
  end(await exitCodeOf(error))
}

/** The exit code, once all that was begun has come to its end. */
function end(exitCode: number): void {
  process.exitCode = exitCode
}

async function exitCodeOf(error: unknown): Promise<number> {
  // It has said what it has to say, be it the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED

  const { ConfigError } = await import('../config/read-config.ts')
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof ConfigError ? MISUSED : FAILED
}
