import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { HmacBounceAddresses } from '../../src/adapters/bounce-addresses-hmac/hmac-bounce-addresses.ts'
import { bounceAddressesContract } from '../contracts/bounce-addresses.contract.ts'
import { PlainBounceAddresses } from '../doubles/plain-bounce-addresses.ts'

const key = () => ({ bytes: randomBytes(32) })
const [ONE, OTHER] = [key(), key()]
const DOMAIN = 'bounces.bank.example'

bounceAddressesContract('plain', (...domains) => new PlainBounceAddresses(...domains))
bounceAddressesContract('hmac', (...domains) => new HmacBounceAddresses([ONE], ...domains))

test('each issuance has an address of its own, which changes with the key', (t) => {
  const addresses = new HmacBounceAddresses([ONE], DOMAIN)
  const [id, another] = [randomUUID(), randomUUID()]
  const macOf = (address: string) => address.slice(-DOMAIN.length - 17, -DOMAIN.length - 1)

  t.not(macOf(addresses.of(id)), macOf(addresses.of(another)))
  t.not(addresses.of(id), new HmacBounceAddresses([OTHER], DOMAIN).of(id))
  const transplanted = addresses.of(id).replace(id, another)
  t.is(addresses.issuanceOf(transplanted), 'forged')
})

test('an address outlives the rotation of its key, until the key is gone', (t) => {
  const id = randomUUID()
  const before = new HmacBounceAddresses([ONE], DOMAIN).of(id)

  const during = new HmacBounceAddresses([OTHER, ONE], DOMAIN)
  t.not(during.of(id), before)
  t.is(during.issuanceOf(before), id)
  t.is(during.issuanceOf(during.of(id)), id)
  t.is(new HmacBounceAddresses([OTHER], DOMAIN).issuanceOf(before), 'forged')
})

test('the address of a mail stays what it was when it was sent', (t) => {
  const addresses = new HmacBounceAddresses([{ bytes: Buffer.alloc(32, 7) }], DOMAIN)

  t.is(
    addresses.of('0b5c9a3e-1f2d-4c3b-8a7e-6d5f4e3c2b1a'),
    'bounce+0b5c9a3e-1f2d-4c3b-8a7e-6d5f4e3c2b1a.3amhkrqxqgfmnpy3@bounces.bank.example',
  )
})
