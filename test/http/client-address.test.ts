import type { IncomingMessage } from 'node:http'
import test from 'ava'
import { clientAddress } from '../../src/adapters/http-koa/edge/client-address.ts'

/** The address by a header and the other end of the connection. */
const from = (proxies: readonly string[], remoteAddress: string | undefined, forwarded?: string) =>
  clientAddress(proxies)({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage)

const NGINX = '10.0.0.10'
const CLIENT = '203.0.113.7'

for (const [what, proxies, peer, forwarded, expected] of [
  ['without proxies the header counts nothing', [], NGINX, CLIENT, NGINX],
  ['a proxy names its client', [NGINX], NGINX, CLIENT, CLIENT],
  ['a proxy of a subnet names its client', ['10.0.0.0/8'], NGINX, CLIENT, CLIENT],
  ['a proxy that IPv6 writes as ::ffff: is the same', ['10.0.0.0/8'], `::ffff:${NGINX}`, CLIENT, CLIENT],
  ['another peer cannot name one', ['10.0.0.0/8'], CLIENT, '198.51.100.1', CLIENT],
  ['what a client wrote itself does not count', [NGINX], NGINX, `198.51.100.1, ${CLIENT}`, CLIENT],
  [
    'proxies behind one another are passed over',
    ['10.0.0.0/8'],
    NGINX,
    `198.51.100.1, ${CLIENT}, 10.0.0.9`,
    CLIENT,
  ],
  ['where all are proxies the first one counts', ['10.0.0.0/8'], NGINX, '10.0.0.8, 10.0.0.9', '10.0.0.8'],
  ['an IPv6 client counts', ['fd00::/8'], 'fd00::1', '2001:db8::7', '2001:db8::7'],
  ['a proxy without the header counts itself', [NGINX], NGINX, undefined, NGINX],
  ['an empty header counts nothing', [NGINX], NGINX, '', NGINX],
  ['what is no address does not count', [NGINX], NGINX, 'unknown', NGINX],
  ['text with a line break does not count', [NGINX], NGINX, 'x\r\ny', NGINX],
  ['a port does not make an address', [NGINX], NGINX, `${CLIENT}:4711`, NGINX],
] as const) {
  test(what, (t) => {
    t.is(from(proxies, peer, forwarded), expected)
  })
}

test('a connection that has ended has no address', (t) => {
  t.is(from([NGINX], undefined, CLIENT), undefined)
})
