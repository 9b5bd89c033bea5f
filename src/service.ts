import { once } from 'node:events'
import { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Deliverer } from './adapters/deliverer/deliverer.ts'
import { MailTransport } from './application/ports/mail-transport.ts'
import { createContainer, type Foundation, StorageConnections } from './container.ts'

/** Requests under way get this long to be answered once the service is told to stop. */
const DRAIN_TIMEOUT_IN_MS = 10_000
const CLOSE_IDLE_EVERY_MS = 50

export interface Service {
  /** Where it listens; undefined if it only delivers. */
  readonly url: string | undefined
  /**
   * Accepts nothing more, answers what it has, hands over the mails under way, and lets go of everything.
   * False if a request had to be cut off after {@link DRAIN_TIMEOUT_IN_MS}.
   */
  stop(): Promise<boolean>
}

/** Starts one process of the service: an HTTP server and a deliverer. Rejects if the port is not to be had. */
export async function startService(foundation: Foundation): Promise<Service> {
  const container = createContainer(foundation)
  const server = container.get(Server)
  const { host, port } = foundation.config

  server.listen(port, host)
  await once(server, 'listening')
  const deliverer = startDeliverer(container)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const drained = await drain(server)
      await deliverer.stop()
      return drained
    },
  }
}

/** Starts a process that delivers mails and serves nothing. */
export async function startDelivery(foundation: Foundation): Promise<Service> {
  const deliverer = startDeliverer(createContainer(foundation))
  return {
    url: undefined,
    stop: async () => {
      await deliverer.stop()
      return true
    },
  }
}

function startDeliverer(container: ReturnType<typeof createContainer>) {
  const deliverer = container.get(Deliverer)
  deliverer.start()
  return {
    stop: async () => {
      await deliverer.stop()
      await container.get(MailTransport).close()
      await container.get(StorageConnections).close()
    },
  }
}

async function drain(server: Server): Promise<boolean> {
  const closed = once(server, 'close')
  server.close()
  // A connection that falls idle after its last answer would otherwise be kept alive.
  const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS)
  let drained = true
  const cutOff = setTimeout(() => {
    drained = false
    server.closeAllConnections()
  }, DRAIN_TIMEOUT_IN_MS)

  await closed
  clearInterval(closeIdle)
  clearTimeout(cutOff)
  return drained
}
