import test from 'ava'
import { actorOf, clientOf } from '../../../src/application/ports/provenance.ts'

test('a client is known again by its actor, whatever its id', (t) => {
  for (const clientId of ['payments', 'client:payments', 'a\nb']) {
    const actor = actorOf({ kind: 'client', clientId, scopes: new Set() })
    t.is(clientOf({ actor }), clientId)
  }
})

test('nobody else is taken for a client, whatever their id', (t) => {
  const user = actorOf({ kind: 'user', userId: 'client:payments' })
  for (const actor of [user, 'agent:client:payments', '\nclient:payments', 'client:', 'service']) {
    t.is(clientOf({ actor }), undefined, JSON.stringify(actor))
  }
})
