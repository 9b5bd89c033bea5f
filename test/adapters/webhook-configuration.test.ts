import test from 'ava'
import { WebhookConfiguration } from '../../src/adapters/webhook-configuration/webhook-configuration.ts'
import type { ConfiguredWebhooks } from '../../src/application/webhooks/apply-configured-webhooks.ts'
import type { WebhookUrl } from '../../src/domain/webhook-registration.ts'
import { createLogger } from '../../src/process/logger.ts'

const CONFIGURED: ConfiguredWebhooks = new Map([
  ['payments', 'https://payments.bank.example/?token=of-the-service' as WebhookUrl],
])

function logging() {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger(
    { logLevel: 'info', production: true },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  )
  return { lines, logger }
}

test('a configuration is applied once, also if the database was away at the start', async (t) => {
  const applied = Promise.withResolvers<void>()
  const { lines, logger } = logging()
  let runs = 0
  const execute = async (configured: ConfiguredWebhooks) => {
    t.is(configured, CONFIGURED)
    runs++
    if (runs < 3) throw new Error('database away')
    applied.resolve()
    return { registered: ['payments'], removed: ['payees'] }
  }
  const configuration = new WebhookConfiguration({ execute }, CONFIGURED, logger, { retryInMs: 1 })
  configuration.start()
  await applied.promise

  await configuration.stop()

  t.is(runs, 3)
  t.deepEqual(
    lines.map(({ msg }) => msg),
    [
      ...['configuring the webhook endpoints failed', 'configuring the webhook endpoints failed'],
      'webhook endpoints configured',
    ],
  )
  t.like(lines[2], { registered: ['payments'], removed: ['payees'] })
  t.false(JSON.stringify(lines).includes('of-the-service'))
})

test('a configuration that says nothing about endpoints changes none', async (t) => {
  const { lines, logger } = logging()
  const execute = () => t.fail() as never
  const configuration = new WebhookConfiguration({ execute }, undefined, logger)

  configuration.start()
  await configuration.stop()

  t.deepEqual(lines, [])
})

test('a stop ends the wait for a database that is away', async (t) => {
  const tried = Promise.withResolvers<void>()
  const { logger } = logging()
  const execute = async () => {
    tried.resolve()
    throw new Error('database away')
  }
  const configuration = new WebhookConfiguration({ execute }, CONFIGURED, logger, { retryInMs: 3_600_000 })
  configuration.start()
  await tried.promise

  await t.notThrowsAsync(configuration.stop())
})
