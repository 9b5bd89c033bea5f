import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { listen } from '../../src/process/listen.ts'

function serverFor(t: ExecutionContext) {
  const server = createServer()
  t.teardown(() => server.close())
  return server
}

for (const [host, address] of [
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.2', '127.0.0.2'],
  ['::1', '::1'],
] as const) {
  test(`development listens on ${host}`, async (t) => {
    const server = serverFor(t)

    await listen(server, { host, port: 0, production: false })

    t.is((server.address() as AddressInfo).address, address)
  })
}

for (const host of ['0.0.0.0', '::', '0', '192.0.2.1', '::ffff:192.0.2.1']) {
  test(`development does not listen on ${host}`, async (t) => {
    const server = serverFor(t)

    const error = await t.throwsAsync(listen(server, { host, port: 0, production: false }))

    t.regex(error?.message ?? '', /^HOST .* leads to .*: set HOST=127\.0\.0\.1, or NODE_ENV=production$/)
    t.false(server.listening)
  })
}

test('development does not listen on a localhost that leads elsewhere, not even with one of its addresses', async (t) => {
  for (const addresses of [['192.0.2.1'], ['127.0.0.1', '192.0.2.1'], []]) {
    const server = serverFor(t)
    const resolve = async () => addresses.map((address) => ({ address }))

    await t.throwsAsync(listen(server, { host: 'localhost', port: 0, production: false }, resolve))
    t.false(server.listening)
  }
})

test('development listens on the very address that it has looked at, and not on what the name has become', async (t) => {
  const server = serverFor(t)

  await listen(server, { host: 'localhost', port: 0, production: false }, async () => [
    { address: '127.0.0.2' },
  ])

  t.is((server.address() as AddressInfo).address, '127.0.0.2')
})

test('production listens wherever it is told', async (t) => {
  const server = serverFor(t)

  await listen(server, { host: '0.0.0.0', port: 0, production: true })

  t.is((server.address() as AddressInfo).address, '0.0.0.0')
})
