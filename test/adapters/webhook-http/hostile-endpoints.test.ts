import { once } from 'node:events'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { setDefaultCACertificates } from 'node:tls'
import test from 'ava'
import { dnsServer } from '../../doubles/dns-server.ts'
import { selfSignedCertificate } from '../../doubles/self-signed-certificate.ts'
import { EVENT, endpointAt, rawEndpoint, receiver, transport } from '../../support/webhook-deliveries.ts'

const refused = (reason: string, rest: object = {}) => ({ outcome: 'refused', reason, ...rest })
/** Longer than any of these answers takes, and shorter than anybody waits. */
const IN_TIME = { connectTimeoutInMs: 2000, timeoutInMs: 2000 }
/** Set before any other use of OpenSSL: later, an error that is left over from a handshake makes it fail. */
const certificate = selfSignedCertificate('hooks.bank.example')
setDefaultCACertificates([certificate.cert])
const SOON = { connectTimeoutInMs: 300, timeoutInMs: 300 }

for (const status of [200, 201, 202, 204, 299]) {
  test(`a ${status} accepts the event`, async (t) => {
    const { url } = await receiver(t, (_, response) => void response.writeHead(status).end())
    t.deepEqual(await transport().send(endpointAt(url), EVENT), { outcome: 'accepted' })
  })
}

for (const [status, reason] of [
  [300, 'redirect'],
  [301, 'redirect'],
  [302, 'redirect'],
  [304, 'redirect'],
  [307, 'redirect'],
  [308, 'redirect'],
  [400, 'status'],
  [401, 'status'],
  [404, 'status'],
  [410, 'gone'],
  [429, 'status'],
  [500, 'status'],
  [503, 'status'],
] as const) {
  test(`a ${status} refuses the event, and no request goes elsewhere`, async (t) => {
    const elsewhere = await receiver(t)
    const { url, received } = await receiver(t, (_, response) => {
      response.writeHead(status, { Location: elsewhere.url }).end()
    })

    t.deepEqual(await transport().send(endpointAt(url), EVENT), refused(reason, { status }))
    t.is(received.length, 1)
    t.is(elsewhere.received.length, 0)
  })
}

for (const [header, seconds] of [
  ['120', 120],
  ['0', 0],
  ['999999999', 86_400],
  [new Date(Date.now() + 3_600_000).toUTCString(), 3600],
  [new Date(0).toUTCString(), 0],
  ['soon', undefined],
  ['-5', undefined],
  ['1e3', undefined],
  ['', undefined],
] as const) {
  test(`an endpoint asks for a pause of ${header || 'nothing'}`, async (t) => {
    const { url } = await receiver(t, (_, response) =>
      response.writeHead(503, { 'Retry-After': header }).end(),
    )

    const reply = await transport().send(endpointAt(url), EVENT)

    const asked = 'retryAfterSeconds' in reply ? reply.retryAfterSeconds : undefined
    if (seconds === undefined) t.is(asked, undefined)
    else t.true(Math.abs(asked! - seconds) < 60)
  })
}

test('an endpoint that never answers is given up', async (t) => {
  const url = await rawEndpoint(t, () => {})
  t.deepEqual(await transport(SOON).send(endpointAt(url), EVENT), refused('timeout'))
})

test('an endpoint that answers byte by byte is given up', async (t) => {
  const url = await rawEndpoint(t, (socket) => {
    const bytes = [...`HTTP/1.1 200 OK\r\nX-Slow: ${'a'.repeat(10_000)}`]
    const timer = setInterval(() => socket.write(bytes.shift() ?? 'a'), 20)
    socket.on('close', () => clearInterval(timer))
  })
  t.deepEqual(await transport(SOON).send(endpointAt(url), EVENT), refused('timeout'))
})

test('an endpoint that says to go on, again and again, is given up', async (t) => {
  const url = await rawEndpoint(t, (socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 10)
    socket.on('close', () => clearInterval(timer))
  })
  t.deepEqual(await transport(SOON).send(endpointAt(url), EVENT), refused('timeout'))
})

for (const status of ['100 Continue', '102 Processing', '103 Early Hints']) {
  test(`an endpoint that floods us with ${status} is cut off before its time is over`, async (t) => {
    const flood = `HTTP/1.1 ${status}\r\n\r\n`.repeat(200)
    const url = await rawEndpoint(t, (socket) => void socket.write(flood))
    t.deepEqual(await transport(IN_TIME).send(endpointAt(url), EVENT), refused('unreadable'))
  })
}

test('an endpoint that accepts the connection and not TLS is given up', async (t) => {
  const server = createTcpServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`

  const options = { connectTimeoutInMs: 300, timeoutInMs: 30_000 }
  t.deepEqual(await transport(options).send(endpointAt(url), EVENT), refused('timeout'))
})

for (const [what, answer] of [
  ['is not HTTP', '220 mail.bank.example ESMTP\r\n'],
  ['is binary', Buffer.from([0, 1, 2, 255, 254])],
  ['has a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}`],
  ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['has no status', 'HTTP/1.1 OK\r\n\r\n'],
] as const) {
  test(`an answer that ${what} is unreadable`, async (t) => {
    const url = await rawEndpoint(t, (socket) => void socket.write(answer))
    t.deepEqual(await transport(IN_TIME).send(endpointAt(url), EVENT), refused('unreadable'))
  })
}

for (const [what, answer] of [
  ['closes', (socket: Socket) => void socket.end()],
  ['resets', (socket: Socket) => void socket.resetAndDestroy()],
  ['breaks off its answer', (socket: Socket) => void socket.end('HTTP/1.1 200 O')],
  [
    'changes the protocol',
    (socket: Socket) =>
      void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  ],
] as const) {
  test(`an endpoint that ${what} has not accepted the event`, async (t) => {
    const url = await rawEndpoint(t, answer)
    t.deepEqual(await transport(IN_TIME).send(endpointAt(url), EVENT), refused('connection'))
  })
}

test('a body of garbage after a 200 changes nothing', async (t) => {
  for (const body of [
    'Content-Length: 10\r\n\r\nnonsense',
    'Transfer-Encoding: chunked\r\n\r\nzz\r\n',
    'Content-Encoding: gzip\r\n\r\nno gzip',
  ]) {
    const url = await rawEndpoint(t, (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${body}`))
    t.deepEqual(await transport().send(endpointAt(url), EVENT), { outcome: 'accepted' }, body)
  }
})

test('an endless body is cut off, and does not hold up the verdict', async (t) => {
  const closed = Promise.withResolvers<void>()
  const url = await rawEndpoint(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`
    const pump = () => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', pump)
    socket.on('close', () => closed.resolve())
    pump()
  })

  t.deepEqual(await transport().send(endpointAt(url), EVENT), { outcome: 'accepted' })
  await closed.promise
})

test('a body byte by byte is cut off, and does not hold up the verdict', async (t) => {
  const closed = Promise.withResolvers<void>()
  const url = await rawEndpoint(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
    const timer = setInterval(() => socket.write('a'), 20)
    socket.on('close', () => {
      clearInterval(timer)
      closed.resolve()
    })
  })

  t.deepEqual(await transport().send(endpointAt(url), EVENT), { outcome: 'accepted' })
  await closed.promise
})

test('a port without a listener refuses the event', async (t) => {
  const { url, server } = await receiver(t)
  await new Promise((closed) => server.close(closed))
  t.deepEqual(await transport(IN_TIME).send(endpointAt(url), EVENT), refused('connection'))
})

for (const host of [
  '127.0.0.1',
  '127.1',
  '0x7f.1',
  '2130706433',
  '[::1]',
  '[::ffff:127.0.0.1]',
  'localhost',
  '0.0.0.0',
]) {
  test(`no request reaches this machine as ${host}, unless the configuration allows it`, async (t) => {
    const { url, received } = await receiver(t)
    const here = url.replace('127.0.0.1', host)

    for (const there of [here, here.replace('http:', 'https:')]) {
      const reply = await transport({ ...IN_TIME, allowedNetworks: [], allowsPublic: true }).send(
        endpointAt(there),
        EVENT,
      )
      t.deepEqual(reply, refused('forbidden-address'), there)
    }
    t.is(received.length, 0)
  })
}

test('a name that leads to this machine is refused, also when it did not before', async (t) => {
  const { url, received } = await receiver(t)
  const zone: Record<string, string[]> = { 'A hooks.bank.example': ['192.0.2.1'] }
  const { address } = await dnsServer(t, zone)
  const options = {
    ...IN_TIME,
    allowedNetworks: ['192.0.2.0/24'],
    allowsPublic: true,
    nameServers: [address],
  }
  const sender = transport({ ...options, connectTimeoutInMs: 1000 })
  const endpoint = endpointAt(url.replace('127.0.0.1', 'hooks.bank.example'))

  t.not((await sender.send(endpoint, EVENT)).outcome, 'accepted')
  zone['A hooks.bank.example'] = ['127.0.0.1']
  t.deepEqual(await sender.send(endpoint, EVENT), refused('forbidden-address'))
  zone['A hooks.bank.example'] = []
  zone['AAAA hooks.bank.example'] = ['::ffff:7f00:1', '::1']
  t.deepEqual(await sender.send(endpoint, EVENT), refused('forbidden-address'))
  t.is(received.length, 0)
})

test('of several addresses, the allowed ones are used', async (t) => {
  const { url, received } = await receiver(t)
  const { address } = await dnsServer(t, {
    'A hooks.bank.example': ['10.0.0.1', '127.0.0.1'],
    'AAAA hooks.bank.example': ['::1'],
  })
  const sender = transport({ ...IN_TIME, allowedNetworks: ['127.0.0.1'], nameServers: [address] })

  const reply = await sender.send(endpointAt(url.replace('127.0.0.1', 'hooks.bank.example')), EVENT)

  t.deepEqual(reply, { outcome: 'accepted' })
  t.is(received[0]?.headers.host, new URL(url).host.replace('127.0.0.1', 'hooks.bank.example'))
})

test('a name server that never answers costs the connection time, and no thread', async (t) => {
  const { address } = await dnsServer(t, {
    'A hooks.bank.example': 'silent',
    'AAAA hooks.bank.example': 'silent',
  })
  const sender = transport({ ...SOON, timeoutInMs: 10_000, nameServers: [address] })

  t.deepEqual(await sender.send(endpointAt('http://hooks.bank.example/'), EVENT), refused('timeout'))
})

test('a certificate has to be of the host', async (t) => {
  const server = createServer(certificate, (_, response) => void response.writeHead(204).end()).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { address } = await dnsServer(t, {
    'A hooks.bank.example': ['127.0.0.1'],
    'A other.bank.example': ['127.0.0.1'],
  })
  const sender = transport({ ...IN_TIME, nameServers: [address] })

  const to = (host: string) => sender.send(endpointAt(`https://${host}:${port}/`), EVENT)
  t.deepEqual(await to('hooks.bank.example'), { outcome: 'accepted' })
  t.deepEqual(await to('other.bank.example'), refused('connection'))
  t.deepEqual(await to('127.0.0.1'), refused('connection'))
})

test('an endpoint that hangs holds few connections, and delays no other', async (t) => {
  const sender = transport({ connectTimeoutInMs: 1000, timeoutInMs: 1000 })
  let [open, most] = [0, 0]
  const url = await rawEndpoint(t, (socket) => {
    open += 1
    most = Math.max(most, open)
    socket.on('close', () => (open -= 1))
  })
  const good = await receiver(t)

  const stuck = Array.from({ length: 50 }, () => sender.send(endpointAt(url, 'slow'), EVENT))
  const first = await Promise.race([...stuck, sender.send(endpointAt(good.url, 'quick'), EVENT)])

  t.deepEqual(first, { outcome: 'accepted' })
  t.true(
    (await Promise.all(stuck)).every((reply) => reply.outcome === 'refused' && reply.reason === 'timeout'),
  )
  t.true(most > 1 && most < 32, `${most} connections at once`)
})

test('a connection is used again, and a delivery survives that the endpoint has closed it', async (t) => {
  const sockets = new Set<Socket>()
  const { url, received, server } = await receiver(t)
  server.on('connection', (socket) => sockets.add(socket))
  const sender = transport()
  await sender.send(endpointAt(url), EVENT)
  await sender.send(endpointAt(url), EVENT)
  t.is(sockets.size, 1)

  server.prependOnceListener('request', ({ socket }) => socket.resetAndDestroy())
  t.deepEqual(await sender.send(endpointAt(url), EVENT), { outcome: 'accepted' })
  t.is(sockets.size, 2)
  t.is(received.length, 4)
})
