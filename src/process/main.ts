import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { loadEmbeddedPostgres, openDatabase } from '../composition/open-database.ts'
import { loadWarnings } from '../config/config-warnings.ts'
import { type Config, ConfigError, loadConfig } from '../config/read-config.ts'
import { isCopyOfSignal, onLauncherEnd } from './launcher.ts'
import { createLogger } from './logger.ts'
import { MailThread } from './mail-thread.ts'
import { exposeMetricsOfWorkers } from './metrics-endpoint.ts'
import { STOP, supervise } from './supervisor.ts'
import { openSupportDesk } from './support-desk.ts'

/*
 * The process behind `countersign serve` and `countersign deliver`. The first serves the API and runs the jobs; the second runs the
 * jobs only. With WORKERS above one, `serve` becomes a supervisor: it starts that many workers, and itself serves their metrics only.
 * bin/service.mjs starts this file without a command line, which a process that runs for months would keep in its memory.
 */

const PROGRAM = fileURLToPath(new URL('../../bin/service.mjs', import.meta.url))

/** A started process. `stop` resolves with true if all accepted work was finished. */
interface Running {
  readonly greeting: string
  stop(): Promise<boolean>
}

const config = configOrExit()
const logger = createLogger(config)
if (!cluster.isWorker) {
  for (const { variable, found } of loadWarnings()) logger.warn({ variable, found }, 'configuration warning')
}
process.once('unhandledRejection', exitOn('unhandled rejection'))
process.once('uncaughtException', exitOn('uncaught exception'))

// Install signal handlers before starting: a supervisor may send SIGTERM as soon as it sees "ready".
const starting = start()
stopOnSignal(starting)
try {
  const running = await starting
  process.stdout.write(running.greeting)
} catch (error) {
  // A developer reads what to do in one line, without the stack that the log has.
  if (!config.production && error instanceof Error) process.stderr.write(`Cannot start: ${error.message}\n`)
  exitOn('start failed')(error)
}

async function start(): Promise<Running> {
  // Half of a start is loading the service and half is starting the database: two cores do both at once. The few modules that start
  // the database come first, because they would otherwise wait for the many modules of the service.
  if (!config.databaseUrl) await loadEmbeddedPostgres()
  const mailThread = supervises() ? undefined : new MailThread()
  const loading = mailThread && loadService()
  const database = await openDatabase(config)
  try {
    const modules = await loading
    const running = modules
      ? await startProcess(database.url, mailThread!, ...modules)
      : await startSupervisor(database.url)
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

async function loadStandIns() {
  const { loadDevelopment } = await import('../development/development.ts')
  return loadDevelopment(config)
}

/** Loads no module of development into a production process. */
function loadService() {
  return Promise.all([
    import('./service.ts'),
    config.production ? undefined : import('../development/development.ts'),
  ])
}

function supervises(): boolean {
  return config.workers > 1 && !delivers()
}

function delivers(): boolean {
  return process.argv[2] === 'deliver'
}

async function startProcess(
  databaseUrl: string,
  mailThread: MailThread,
  { startDelivery, startService }: typeof import('./service.ts'),
  standIns: typeof import('../development/development.ts') | undefined,
): Promise<Running> {
  const development = await standIns?.loadDevelopment(config)
  const options = { config, databaseUrl, development, logger, mailThread }

  const { url, metricsUrl, hasBank, stop } = await (delivers()
    ? startDelivery(options)
    : startService(options))
  if (url) logger.info({ url }, 'ready')
  if (metricsUrl) logger.info({ url: metricsUrl }, 'management ready')
  return { greeting: !url || config.production || cluster.isWorker ? '' : greeting(url, hasBank), stop }
}

async function startSupervisor(databaseUrl: string): Promise<Running> {
  const support = await openSupportDesk({
    ...{ config, databaseUrl, logger },
    development: config.support && !config.production ? await loadStandIns() : undefined,
  })
  const metricsEndpoint = await exposeMetricsOfWorkers(config, logger, support)
  // The workers run the service, even if this process was started as `countersign serve`.
  cluster.setupPrimary({ exec: PROGRAM, args: [] })
  const env = { DATABASE_URL: databaseUrl, DATABASE_URL_FILE: '', WORKERS: '1' }
  const stopWorkers = supervise(config.workers, env, logger)
  logger.info({ url: metricsEndpoint.url }, 'management ready')
  return {
    greeting: '',
    stop: async () => {
      const finished = await stopWorkers()
      await metricsEndpoint.stop()
      await support?.close()
      return finished
    },
  }
}

/**
 * Stops in order at the first signal and at once at the second. If the start is still in progress, it is finished first.
 * A worker ignores signals and waits for its supervisor: a terminal or a service manager may signal the whole process group.
 */
function stopOnSignal(starting: Promise<Running>): void {
  let stoppingSince: number | undefined
  const stop = async () => {
    if (stoppingSince !== undefined) {
      if (isCopyOfSignal(performance.now() - stoppingSince)) return
      process.exit(1)
    }
    stoppingSince = performance.now()
    logger.info('stopping')
    const running = await starting
    const finished = await running.stop()
    logger.info({ finished }, 'stopped')
    if (cluster.isWorker) await leaveSupervisor()
    process.exit(finished ? 0 : 1)
  }
  const stopOnce = () => void (stoppingSince === undefined && stop())
  if (cluster.isWorker) {
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => {})
    // The supervisor may send the message twice, because it does not know when a worker begins to listen.
    // The supervisor also sends other messages, which ask for metrics.
    process.on('message', (message) => message === STOP && stopOnce())
    process.once('disconnect', stopOnce)
  } else {
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    onLauncherEnd(stopOnce)
  }
}

/** Exiting may take seconds on a busy disk. Until then, a connected worker would hold up each scrape of its supervisor. */
async function leaveSupervisor(): Promise<void> {
  if (!process.connected) return
  // Otherwise Node takes the disconnection for the end of the supervisor, and exits with 0.
  cluster.worker!.exitedAfterDisconnect = true
  const left = once(process, 'disconnect')
  process.disconnect()
  await left
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
