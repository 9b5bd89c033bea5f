import test, { type ExecutionContext } from 'ava'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaUserRegistry } from '../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { NOON } from '../../test/domain/examples.ts'
import { until } from '../../test/journeys/client.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { TcpProxy } from './tcp-proxy.ts'

async function registryBehindProxy(t: ExecutionContext) {
  const database = await createTestDatabase()
  const proxy = await TcpProxy.to(database.url)
  const { prisma, close } = connectPrisma({ url: proxy.urlOf(database.url), onConnectionLost: () => {} })
  t.teardown(async () => {
    await close()
    await proxy.close()
  })
  const registry = new PrismaUserRegistry(prisma)
  const put = () =>
    registry.put({ userId: 'u-1', email: 'a@example.com' as EmailAddress }, NOON, { actor: 'client:crm' })
  /** The result after the connection that the fault left behind is gone from the pool. */
  const putAgain = () => until(() => put().catch(() => undefined), Boolean)
  /** Until the fault has struck: on a busy machine a call may give up before it has a session. */
  const putInto = async (fault: Promise<void>) => {
    let struck = false
    fault.then(() => {
      struck = true
    })
    do await t.throwsAsync(put(), { instanceOf: StorageUnavailable })
    while (!struck)
  }
  return { proxy, putInto, putAgain }
}

test('a session that ends as it is handed out is an outage of the call, and not the end of the process', async (t) => {
  const { proxy, putInto, putAgain } = await registryBehindProxy(t)

  await putInto(proxy.strike({ marker: 'application_name', at: 'answer', how: 'end' }))

  t.is(await putAgain(), 'created')
})

for (const marker of ['BEGIN', 'COMMIT']) {
  test(`a session that ends in place of its ${marker} is an outage, and leaves nothing`, async (t) => {
    const { proxy, putInto, putAgain } = await registryBehindProxy(t)

    await putInto(proxy.strike({ marker, at: 'request', how: 'end' }))

    t.is(await putAgain(), 'created')
  })
}
