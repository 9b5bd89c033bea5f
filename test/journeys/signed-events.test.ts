import { createServer } from 'node:http'
import test from 'ava'
import { CountersignClient } from '../../packages/kit/src/client.ts'
import { EventReceiver } from '../../packages/kit/src/webhooks.ts'
import { listening } from '../http/listening.ts'
import { createTestDatabase } from '../support/database.ts'
import { openChallenge, tokenOf, until } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

test('an event is signed with the published key, which the thread that sends it does not have', async (t) => {
  const dataDir = await createDataDir()
  t.teardown(dataDir.remove)
  const { url } = await createTestDatabase()
  const service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
  t.teardown(() => service.end())
  const token = await tokenOf(service.url, { client_id: 'payments', scope: 'mfa:webhooks:write' })
  const client = new CountersignClient({ baseUrl: service.url, accessToken: () => token })
  const opened: string[] = []
  const receiver = new EventReceiver({
    clientId: 'payments',
    jwks: client.jwksUrl,
    on: { 'challenge-opened': ({ challengeId }) => void opened.push(challengeId) },
  })
  const server = createServer(async (request, response) => {
    const { status, body } = await receiver.receiveFrom(request)
    response.writeHead(status).end(body)
  })
  await client.putWebhook('payments', { url: await listening(t, server) })

  const { id } = await openChallenge(service.url, 'alice')

  await until(
    async () => opened,
    (ids) => ids.includes(id),
  )
  t.deepEqual(opened, [id])
})
