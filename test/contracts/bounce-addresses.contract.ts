import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { BounceAddresses } from '../../src/contracts/bounce-addresses.ts'

/** What those rely on who send mails and take notices. Called once per adapter. @param create for domains, in lower case. */
export function bounceAddressesContract(
  adapter: string,
  create: (domain: string, others: readonly string[]) => BounceAddresses,
): void {
  const ID = randomUUID()
  const addresses = create('bounces.bank.example', ['bounces.b.example'])
  const address = addresses.of(ID)

  test(`${adapter}: an address is the same each time, leads to its issuance, and fits into an envelope`, (t) => {
    t.is(addresses.of(ID), address)
    t.is(addresses.issuanceOf(address), ID)
    t.regex(address, /^bounce\+[0-9a-f-]{36}\.[a-z2-7]{16}@bounces\.bank\.example$/)
    t.true(address.lastIndexOf('@') <= 64)
  })

  test(`${adapter}: an address of a brand is at its own domain, and leads to the same issuance`, (t) => {
    const ofBrand = addresses.of(ID, 'bounces.b.example')

    t.true(ofBrand.endsWith('@bounces.b.example'))
    t.is(addresses.issuanceOf(ofBrand), ID)
    t.is(addresses.issuanceOf(ofBrand.replace('b.example', 'c.example')), undefined)
  })

  test(`${adapter}: an address counts in any case`, (t) => {
    t.is(addresses.issuanceOf(address.toUpperCase()), ID)
  })

  test(`${adapter}: any other address of its form is forged`, (t) => {
    const changed = address.replace(/\.[a-z2-7]{16}@/, '.2222222222222222@')
    t.is(addresses.issuanceOf(changed), 'forged')
  })

  for (const other of [
    '',
    'bounce',
    'no-reply@bank.example',
    address.replace('bounces.bank', 'bounces.other'),
    address.replace('bounce+', 'bounced+'),
    address.replace(/\.[a-z2-7]{16}@/, '@'),
    address.replace(/[a-z2-7]@/, '@'),
    address.replace(/[a-z2-7]@/, '1@'),
    `${address}.example`,
    `x${address}`,
    address.replace(ID, 'alice'),
    address.replace(ID, ID.replaceAll('-', '')),
  ]) {
    test(`${adapter}: ${other.replace(ID, '<id>') || 'nothing'} is no bounce address`, (t) => {
      t.is(addresses.issuanceOf(other), undefined)
    })
  }
}
