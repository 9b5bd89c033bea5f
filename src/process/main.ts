import cluster from 'node:cluster'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scrapeOfWorkers } from '../adapters/metrics-prometheus/worker-metrics.ts'
import type { CompositionOptions } from '../composition/container.ts'
import { type Config, ConfigError, loadConfig } from '../config/read-config.ts'
import { developmentKeys } from '../development/development-keys.ts'
import { createLogger } from './logger.ts'
import { startMetricsEndpoint } from './metrics-endpoint.ts'
import { openDatabase } from './open-database.ts'
import { STOP, supervise } from './supervisor.ts'

/*
 * The process behind `countersign serve`, which serves, and `countersign deliver`, which does its jobs alone: mails and retention.
 * With WORKERS above one it supervises that many which serve, and itself serves nothing but the metrics of all of them.
 * bin/service.mjs starts it without a command line, so that what serves for months has none in its memory.
 */

const PROGRAM = fileURLToPath(new URL('../../bin/service.mjs', import.meta.url))

/** Something that runs until it is stopped. `stop` says whether all that was accepted was also finished. */
interface Running {
  readonly greeting: string
  stop(): Promise<boolean>
}

const config = configOrExit()
const logger = createLogger(config)
process.once('unhandledRejection', exitOn('unhandled rejection'))
process.once('uncaughtException', exitOn('uncaught exception'))

// Signals are heard from the start on: whoever reads that it is ready may tell it to end in that very moment.
const starting = start()
stopOnSignal(starting)
try {
  const running = await starting
  process.stdout.write(running.greeting)
} catch (error) {
  // In words of its own as well: whoever starts it by hand is told what to do, and need not read a stack.
  if (!config.production && error instanceof Error) process.stderr.write(`Cannot start: ${error.message}\n`)
  exitOn('start failed')(error)
}

async function start(): Promise<Running> {
  // Half of a start is loading the service and half is starting the database: two cores do both at once.
  const loading = supervises() ? undefined : import('./service.ts')
  const database = await openDatabase(config)
  try {
    const service = await loading
    const running = service ? await startUpon(database.url, service) : await startSupervisor(database.url)
    return {
      greeting: running.greeting,
      stop: async () => {
        const finished = await running.stop()
        await database.stop()
        return finished
      },
    }
  } catch (error) {
    await database.stop()
    throw error
  }
}

function supervises(): boolean {
  return config.workers > 1 && !delivers()
}

function delivers(): boolean {
  return process.argv[2] === 'deliver'
}

async function startUpon(
  databaseUrl: string,
  { startDelivery, startService }: typeof import('./service.ts'),
): Promise<Running> {
  const keys = config.production ? undefined : await developmentKeys(join(config.dataDir, 'keys.json'))
  const foundation: CompositionOptions = { config, databaseUrl, developmentKeys: keys, logger }

  if (delivers()) {
    const { managementUrl, stop } = await startDelivery(foundation)
    logger.info({ url: managementUrl }, 'management ready')
    return { greeting: '', stop }
  }

  const { url, managementUrl, hasBank, stop } = await startService(foundation)
  logger.info({ url }, 'ready')
  if (managementUrl) logger.info({ url: managementUrl }, 'management ready')
  return { greeting: config.production || cluster.isWorker ? '' : greeting(url!, hasBank), stop }
}

async function startSupervisor(databaseUrl: string): Promise<Running> {
  const management = await startMetricsEndpoint(scrapeOfWorkers(), config, logger)
  // Whatever command line this process was started from.
  cluster.setupPrimary({ exec: PROGRAM, args: [] })
  const env = { DATABASE_URL: databaseUrl, DATABASE_URL_FILE: '', WORKERS: '1' }
  const stopWorkers = supervise(config.workers, env, logger)
  logger.info({ url: management.url }, 'management ready')
  return {
    greeting: '',
    stop: async () => {
      const finished = await stopWorkers()
      await management.stop()
      return finished
    },
  }
}

/**
 * A worker hears of the end from its supervisor, since a terminal or a service manager may signal the whole group.
 * Anybody else ends at the first signal, in order, and at once at the second. What has not started yet starts first.
 */
function stopOnSignal(starting: Promise<Running>): void {
  let stopping = false
  const stop = async () => {
    if (stopping) process.exit(1)
    stopping = true
    logger.info('stopping')
    const running = await starting
    const finished = await running.stop()
    logger.info({ finished }, 'stopped')
    process.exit(finished ? 0 : 1)
  }
  if (cluster.isWorker) {
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => {})
    // It may be told twice, since its supervisor does not know from when on it hears.
    const stopOnce = () => void (stopping || stop())
    // Its supervisor asks for metrics as well, with messages of another kind.
    process.on('message', (message) => message === STOP && stopOnce())
    process.once('disconnect', stopOnce)
  } else {
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  }
}

function configOrExit(): Config {
  try {
    return loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}

function exitOn(what: string) {
  return (error: unknown) => {
    logger.fatal({ err: error }, what)
    process.exit(1)
  }
}

function greeting(url: string, hasBank: boolean): string {
  const bank = `
    ${url}/              a bank to try it with`
  return `
  Countersign is ready at ${url}
${hasBank ? bank : ''}
    ${url}/dev/mailbox   the mails it has sent, newest first
    ${url}/docs          its API

`
}
