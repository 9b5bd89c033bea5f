import test from 'ava'
import fc from 'fast-check'
import { AddressGuard } from '../../../src/adapters/webhook-http/address-guard.ts'

const guard = new AddressGuard({ allowedNetworks: [], allowsPublic: true })

for (const address of [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:a9fe:a9fe',
  '::ffff:0:7f00:1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  '4000::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '',
  'localhost',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
]) {
  test(`no delivery goes to ${address || 'no address'}`, (t) => {
    t.false(guard.allows(address, true))
  })
}

for (const address of [
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.0',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
  '2606:4700::1111',
]) {
  test(`a delivery goes to ${address} under TLS alone`, (t) => {
    t.true(guard.allows(address, true))
    t.false(guard.allows(address, false))
  })
}

test('the networks of the configuration are allowed, with and without TLS, and no others', (t) => {
  const own = new AddressGuard({
    allowedNetworks: ['10.1.0.0/16', '192.168.7.7', 'fd00:1::/32'],
    allowsPublic: true,
  })

  for (const address of ['10.1.0.0', '10.1.255.255', '::ffff:10.1.2.3', '192.168.7.7', 'fd00:1::5']) {
    t.true(own.allows(address, true), address)
    t.true(own.allows(address, false), address)
  }
  for (const address of [
    '10.0.255.255',
    '10.2.0.0',
    '192.168.7.8',
    'fd00:2::5',
    '127.0.0.1',
    '169.254.169.254',
  ]) {
    t.false(own.allows(address, true), address)
  }
})

test('public addresses can be ruled out', (t) => {
  const local = new AddressGuard({ allowedNetworks: ['127.0.0.0/8', '::1'], allowsPublic: false })

  t.true(local.allows('127.0.0.1', false))
  t.true(local.allows('::1', false))
  t.false(local.allows('1.1.1.1', true))
})

test('an IPv4 address is judged the same in each notation of IPv6', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const allowed = guard.allows(address, true)
      return (
        guard.allows(`::ffff:${address}`, true) === allowed &&
        guard.allows(`64:ff9b::${address}`, true) === allowed
      )
    }),
  )
  t.pass()
})
