import type { LookupAddress } from 'node:dns'
import test, { type ExecutionContext } from 'ava'
import { EndpointNames } from '../../../src/adapters/webhook-http/endpoint-names.ts'
import { dnsServer } from '../../doubles/dns-server.ts'

const HERE: LookupAddress[] = [{ address: '10.0.0.7', family: 4 }]

const PATIENCE_IN_MS = 20

/** The name servers know no name. The operating system answers for names of `evil.example` when the test says so, and for others at once. */
async function names(t: ExecutionContext) {
  const { address } = await dnsServer(t, {})
  const asked: string[] = []
  const answers = new Map<string, PromiseWithResolvers<LookupAddress[]>>()
  const ofSystem = (name: string) => {
    asked.push(name)
    if (!name.endsWith('.evil.example')) return Promise.resolve(HERE)
    const answer = Promise.withResolvers<LookupAddress[]>()
    answers.set(name, answer)
    return answer.promise
  }
  /** Waits until the operating system is asked for one of the names. */
  const isAsked = async (...anyOf: string[]) => {
    while (!anyOf.some((name) => asked.includes(name))) await new Promise((later) => setTimeout(later, 1))
  }
  return {
    names: new EndpointNames([address], ofSystem, PATIENCE_IN_MS),
    asked,
    isAsked,
    answer: (name: string) => answers.get(name)!.resolve(HERE),
  }
}

test('a name that the operating system never answers for does not hold up the names of this network', async (t) => {
  const { names: endpointNames, asked, isAsked } = await names(t)
  void endpointNames.addressesOf('one.evil.example')
  await isAsked('one.evil.example')

  t.deepEqual(await endpointNames.addressesOf('payments'), HERE)
  t.deepEqual(asked, ['one.evil.example', 'payments'])
})

test('a name that the operating system never answers for holds up no name of another service for long', async (t) => {
  const { names: endpointNames, isAsked } = await names(t)
  void endpointNames.addressesOf('one.evil.example')
  await isAsked('one.evil.example')

  t.deepEqual(await endpointNames.addressesOf('events.bank.example'), HERE)
  t.deepEqual(await endpointNames.addressesOf('events.shop.example'), HERE)
})

test('slow names hold two threads at most, and one of them once they are known', async (t) => {
  const { names: endpointNames, asked, isAsked, answer } = await names(t)
  const slow = ['one.evil.example', 'two.evil.example', 'three.evil.example']
  const found = slow.map((name) => endpointNames.addressesOf(name))
  while (asked.length < 2) await new Promise((later) => setTimeout(later, 1))
  // Far longer than the patience: a third one would be asked by now.
  await new Promise((later) => setTimeout(later, 10 * PATIENCE_IN_MS))
  t.is(asked.length, 2)
  for (const name of [...asked, ...slow.filter((each) => !asked.includes(each))]) {
    await isAsked(name)
    await new Promise((later) => setTimeout(later, 2 * PATIENCE_IN_MS))
    answer(name)
  }
  await Promise.all(found)

  asked.length = 0
  for (const name of slow) void endpointNames.addressesOf(name)
  await isAsked(...slow)
  t.deepEqual(await endpointNames.addressesOf('events.bank.example'), HERE)
  t.is(asked.filter((name) => slow.includes(name)).length, 1)
})
