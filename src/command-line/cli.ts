import { CommanderError } from 'commander'
import { program } from './commands.ts'

const FAILED = 1
const MISUSED = 2

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = await exitCodeOf(error)
}

async function exitCodeOf(error: unknown): Promise<number> {
  // Commander has already printed the message or help text.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED

  const { ConfigError } = await import('../config/read-config.ts')
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof ConfigError ? MISUSED : FAILED
}
