import test from 'ava'
import type { SignedAnchor, TrailAnchor, TrailAnchors } from '../../../src/application/ports/trail-anchors.ts'
import { AnchorTrail } from '../../../src/application/trail/anchor-trail.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'

const signer = {
  sign: (anchor: TrailAnchor): SignedAnchor => ({ ...anchor, keyId: 's1', signature: 'signed' }),
}
const asGenuine = { verify: () => 'genuine' as const }
const clock = { now: () => afterNoon(0.999) }

function anchorsOf(
  newest: Awaited<ReturnType<TrailAnchors['newest']>>,
  lastId: number | undefined,
  wins = true,
) {
  const asked: [number, number][] = []
  const stored: SignedAnchor[] = []
  return {
    ...{ asked, stored },
    newest: async () => newest,
    settledEnd: async () => lastId,
    digestOf: async (first: number, last: number) => {
      asked.push([first, last])
      return { events: Math.max(0, last - first + 1), digest: `${first}-${last}` }
    },
    store: async (anchor: SignedAnchor) => {
      stored.push(anchor)
      return wins
    },
  }
}

const before = {
  ...{ number: 4, firstId: 1, lastId: 10, events: 10, digest: 'd', previous: 'p' },
  ...{ signedAt: NOON, keyId: 's1', signature: 'of-the-fourth', isOfThisHour: false },
}

test('the first anchor covers nothing, and marks where anchors begin', async (t) => {
  const anchors = anchorsOf(undefined, 20)

  t.deepEqual(await new AnchorTrail(anchors, signer, asGenuine, clock).execute(), {
    anchor: {
      ...{ number: 1, firstId: 21, lastId: 20, events: 0, digest: '21-20', previous: '' },
      ...{ signedAt: NOON, keyId: 's1', signature: 'signed' },
    },
  })
  t.deepEqual(anchors.asked, [[21, 20]])
})

test('an anchor follows the one before', async (t) => {
  const { anchor, doubt } = await new AnchorTrail(anchorsOf(before, 30), signer, asGenuine, clock).execute()

  t.is(doubt, undefined)
  t.like(anchor, { number: 5, firstId: 11, lastId: 30, events: 20, previous: 'of-the-fourth' })
})

test('an anchor over a trail that is purged goes back behind no other', async (t) => {
  const { anchor } = await new AnchorTrail(anchorsOf(before, 0), signer, asGenuine, clock).execute()

  t.like(anchor, { number: 5, firstId: 11, lastId: 10, events: 0 })
})

test('an hour that has its anchor gets no other, and a transaction under way holds one up', async (t) => {
  for (const anchors of [anchorsOf({ ...before, isOfThisHour: true }, 30), anchorsOf(before, undefined)]) {
    t.deepEqual(await new AnchorTrail(anchors, signer, asGenuine, clock).execute(), {})
    t.deepEqual(anchors.stored, [])
  }
})

test('an anchor that another process stored first is not announced', async (t) => {
  const anchors = anchorsOf(before, 30, false)

  t.deepEqual(await new AnchorTrail(anchors, signer, asGenuine, clock).execute(), {})
  t.is(anchors.stored.length, 1)
})

for (const verdict of ['forged', 'unknown-key'] as const) {
  test(`a newest anchor that is ${verdict} is named, also in its own hour, and ends no anchors`, async (t) => {
    const verifier = {
      verify: ({ signature }: SignedAnchor) => (signature === before.signature ? verdict : 'genuine'),
    }
    const doubt = { number: 4, keyId: 's1', firstId: 1, lastId: 10, verdict }
    const anchors = anchorsOf(before, 30)

    const found = await new AnchorTrail(anchors, signer, verifier, clock).execute()
    const early = anchorsOf({ ...before, isOfThisHour: true }, 30)

    t.deepEqual(found.doubt, doubt)
    t.like(found.anchor, { number: 5, firstId: 11, previous: before.signature })
    t.deepEqual(await new AnchorTrail(early, signer, verifier, clock).execute(), { doubt })
  })
}
