import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type BirpcReturn, createBirpc } from 'birpc'
import type { DeliverySignal } from '../application/ports/delivery-signal.ts'
import type { HealthCheck } from '../contracts/health-check.ts'
import type { WebhookSigner } from '../contracts/webhook-signer.ts'
import type { MailThreadCalls, MailThreadRequests, MailThreadSettings } from './mail-thread-calls.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/service.mjs', import.meta.url))
/** Well below the time-out of a scrape in Prometheus. */
const ANSWER_TIMEOUT_IN_MS = 5000

/**
 * The thread that composes and sends the mails of this process, so that they do not hold up its answers. An error that the thread
 * does not handle is an uncaught exception of the process: its supervisor or service manager starts it again, with a pause.
 */
export class MailThread implements DeliverySignal, HealthCheck {
  readonly name = 'deliverer'
  readonly #calls: BirpcReturn<MailThreadCalls, MailThreadRequests>
  readonly #ended: Promise<void>
  readonly #signer = Promise.withResolvers<WebhookSigner>()
  #closing = false

  /** Starts to load the thread's program. Load the service meanwhile: that takes as long. */
  constructor() {
    const worker = new Worker(PROGRAM, { name: 'mails' })
    const ended = Promise.withResolvers<void>()
    this.#ended = ended.promise
    this.#calls = createBirpc<MailThreadCalls, MailThreadRequests>(
      { sign: async (delivery) => (await this.#signer.promise).sign(delivery) },
      {
        post: (message) => worker.postMessage(message),
        on: (listener) => void worker.on('message', listener),
        eventNames: ['start', 'wake'],
        timeout: -1,
      },
    )
    // What a listener throws is an uncaught exception of this thread.
    worker.on('error', (cause) => {
      throw new Error('the mail thread failed', { cause })
    })
    worker.on('exit', (exitCode) => {
      if (!this.#closing) throw new Error(`the mail thread ended with ${exitCode}`)
      this.#calls.$close(new Error('the mail thread has ended'))
      ended.resolve()
    })
  }

  /** Assembles the delivery, and begins to take notices. Rejects if a mail system, a template, a language or a port is unusable. */
  prepare(settings: MailThreadSettings, signer: WebhookSigner): Promise<void> {
    this.#signer.resolve(signer)
    return this.#calls.prepare(settings)
  }

  start(): void {
    void this.#calls.start()
  }

  wake(issuanceId: string): void {
    // A request that was cut off may still decide while the service stops.
    if (!this.#closing) void this.#calls.wake(issuanceId)
  }

  problem(): Promise<string | undefined> {
    return this.#calls.problem()
  }

  /** Rejects if the thread does not answer in time. */
  async metrics(): Promise<readonly object[]> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(late.reject, ANSWER_TIMEOUT_IN_MS, new Error('the mail thread does not answer'))
    try {
      return await Promise.race([this.#calls.metrics(), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Begins no more mails, takes no more notices, and resolves when those in progress are done. */
  finish(): Promise<void> {
    return this.#calls.finish()
  }

  /** Closes all connections, and resolves when the thread has ended. Finish first. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#calls.close()
    await this.#ended
  }
}
