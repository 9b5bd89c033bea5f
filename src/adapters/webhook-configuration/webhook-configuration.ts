import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type {
  ApplyConfiguredWebhooks,
  ConfiguredWebhooks,
} from '../../application/webhooks/apply-configured-webhooks.ts'

/** The database may be away while processes start. */
const RETRY_IN_MS = 5000

/** Applies the endpoints of the configuration once, when the process starts. Each process does so: the one that starts last decides. */
export class WebhookConfiguration {
  readonly #apply: Pick<ApplyConfiguredWebhooks, 'execute'>
  readonly #configured: ConfiguredWebhooks | undefined
  readonly #logger: Logger
  readonly #retryInMs: number
  readonly #stopping = new AbortController()
  #underWay = Promise.resolve()

  /** @param configured undefined if the configuration says nothing, which changes nothing. */
  constructor(
    apply: Pick<ApplyConfiguredWebhooks, 'execute'>,
    configured: ConfiguredWebhooks | undefined,
    logger: Logger,
    { retryInMs = RETRY_IN_MS } = {},
  ) {
    this.#apply = apply
    this.#configured = configured
    this.#logger = logger
    this.#retryInMs = retryInMs
  }

  start(): void {
    if (this.#configured) this.#underWay = this.#run(this.#configured)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#underWay
  }

  async #run(configured: ConfiguredWebhooks): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        const { registered, removed } = await this.#apply.execute(configured)
        if (registered.length > 0 || removed.length > 0)
          this.#logger.info({ registered, removed }, 'webhook endpoints configured')
        return
      } catch (error) {
        this.#logger.error({ err: error }, 'configuring the webhook endpoints failed')
        // It rejects only when the process stops, which ends the loop.
        await wait(this.#retryInMs, undefined, { signal }).catch(() => {})
      }
    }
  }
}
