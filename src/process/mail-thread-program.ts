import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { createBirpc } from 'birpc'
import type { CreateMailbox } from '../composition/composition-options.ts'
import { createDelivery, type Delivery } from '../composition/delivery.ts'
import { createLogger } from './logger.ts'
import type { MailThreadCalls, MailThreadRequests, MailThreadSettings } from './mail-thread-calls.ts'

/*
 * The mail thread of a process. It does what the thread that answers requests asks of it (mail-thread.ts). It writes to the log by
 * itself, has connections of its own, and counts its own metrics. It reads no configuration: the settings that it gets are all it knows.
 */

/** A mail then takes about a third of a core that an answer wants as well, and all of one that nobody wants. */
const NICENESS = 5
// Elsewhere this would lower the whole process, answers included.
if (process.platform === 'linux') setPriority(NICENESS)

const port = parentPort!
const preparing = Promise.withResolvers<Delivery>()

const calls: MailThreadCalls = {
  prepare: async (settings) => {
    const delivery = await deliveryOf(settings)
    await delivery.intake?.listen()
    preparing.resolve(delivery)
  },
  start: async () => {
    const { codes, notices, events, expiries } = await preparing.promise
    codes.start()
    notices.start()
    events.start()
    expiries.start()
  },
  wake: async (issuanceId) => (await preparing.promise).wake(issuanceId),
  problem: async () => (await preparing.promise).codes.problem(),
  metrics: async () => (await preparing.promise).metrics.getMetricsAsJSON(),
  finish: async () => {
    const { codes, notices, events, expiries, intake } = await preparing.promise
    await Promise.all([codes.stop(), notices.stop(), events.stop(), expiries.stop(), intake?.close()])
  },
  close: async () => {
    await (await preparing.promise).close()
    // After the answer. An idle connection of a library must not keep the thread alive.
    setImmediate(() => process.exit())
  },
}
const requests = createBirpc<MailThreadRequests, MailThreadCalls>(calls, {
  post: (message) => port.postMessage(message),
  on: (listener) => void port.on('message', listener),
  timeout: -1,
})

async function deliveryOf({ config, ...settings }: MailThreadSettings): Promise<Delivery> {
  const { tracing } = config
  return createDelivery({
    config: { ...config, tracing: tracing && { ...tracing, endpoint: new URL(tracing.endpoint) } },
    ...settings,
    webhookSigner: { sign: (delivery) => requests.sign(delivery) },
    logger: createLogger(config),
    mailbox: config.mail ? undefined : await developmentMailbox(config.dataDir),
  })
}

/** Loads no module of development into a production process, which always has a mail system. */
async function developmentMailbox(dataDir: string): Promise<CreateMailbox> {
  const { mailboxTransport } = await import('../development/mailbox-transport.ts')
  return (recordMailEvent, logger) => mailboxTransport(dataDir, recordMailEvent, logger)
}
