import type { LookupAddress } from 'node:dns'
import test, { type ExecutionContext } from 'ava'
import { EndpointNames } from '../../../src/adapters/webhook-http/endpoint-names.ts'
import { dnsServer } from '../../doubles/dns-server.ts'

const HERE: LookupAddress[] = [{ address: '10.0.0.7', family: 4 }]

/** The name servers know no name. The operating system never answers for names of `evil.example`. */
async function names(t: ExecutionContext) {
  const { address, asked: askedServers } = await dnsServer(t, {})
  const asked: string[] = []
  const hanging = Promise.withResolvers<void>()
  const ofSystem = (name: string) => {
    asked.push(name)
    if (!name.endsWith('.evil.example')) return Promise.resolve(HERE)
    hanging.resolve()
    return new Promise<never>(() => {})
  }
  const answered = async (questions: number) => {
    while (askedServers.length < questions) await new Promise((later) => setTimeout(later, 5))
    await new Promise((later) => setTimeout(later, 50))
  }
  return { names: new EndpointNames([address], ofSystem), asked, answered, hanging: hanging.promise }
}

test('a name that the operating system never answers for does not hold up the names of this network', async (t) => {
  const { names: endpointNames, asked, hanging } = await names(t)
  void endpointNames.addressesOf('one.evil.example')
  void endpointNames.addressesOf('two.evil.example')
  await hanging

  t.deepEqual(await endpointNames.addressesOf('payments'), HERE)
  t.deepEqual(asked.slice(1), ['payments'])
})

test('of names that a service may own, the operating system looks up one at a time', async (t) => {
  const { names: endpointNames, asked, answered, hanging } = await names(t)
  void endpointNames.addressesOf('one.evil.example')
  void endpointNames.addressesOf('two.evil.example')
  void endpointNames.addressesOf('three.evil.example')
  await hanging

  await answered(6)

  t.is(asked.filter((name) => name.endsWith('.evil.example')).length, 1)
})
