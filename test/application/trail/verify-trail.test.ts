import test from 'ava'
import type { SignedAnchor } from '../../../src/application/ports/trail-anchors.ts'
import type { TrailEvent, TrailHead, TrailSnapshot } from '../../../src/application/ports/trail-snapshot.ts'
import { VerifyTrail } from '../../../src/application/trail/verify-trail.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'

type Linked = Exclude<TrailEvent, { readonly position: undefined }>

/** An event whose hash is its name. */
const event = (id: number, subjectUserId: string, position: number, previous?: Linked): Linked => ({
  ...{ id, subjectUserId, position, hash: `h${id}` },
  ...{ previousId: previous?.id, previousHash: previous?.hash ?? '', previous },
})
const head = (of: Linked): TrailHead => ({
  ...{ subjectUserId: of.subjectUserId, position: of.position, hash: of.hash },
  ...{ eventId: of.id, event: of },
})
const anchor = (
  number: number,
  firstId: number,
  lastId: number,
  hashes: readonly string[],
): SignedAnchor => ({
  ...{ number, firstId, lastId, events: hashes.length, digest: hashes.join() },
  ...{
    previous: number === 1 ? '' : `sig${number - 1}`,
    signedAt: NOON,
    keyId: 's1',
    signature: `sig${number}`,
  },
})

const a1 = event(1, 'a', 1)
const b1 = event(2, 'b', 1)
const a2 = event(3, 'a', 2, a1)
const a3 = event(4, 'a', 3, a2)
const WHOLE = {
  purgedTo: 0,
  minimumDays: 397,
  anchors: [anchor(1, 1, 0, []), anchor(2, 1, 3, ['h1', 'h2', 'h3'])] as readonly SignedAnchor[],
  events: [a1, b1, a2, a3] as readonly TrailEvent[],
  heads: [head(a3), head(b1)] as readonly TrailHead[],
}

function snapshotOf({ purgedTo, minimumDays, anchors, events, heads }: typeof WHOLE): TrailSnapshot {
  return {
    ...{ purgedTo, minimumDays },
    anchors: async () => anchors,
    events: async function* () {
      for (const each of events) yield [each]
    },
    heads: async function* () {
      yield heads
    },
    digest: () => {
      const hashes: string[] = []
      return { add: (hash) => void hashes.push(hash), value: () => hashes.join() }
    },
  }
}

const genuine = { verify: () => 'genuine' as const }
const verify = (
  change: Partial<typeof WHOLE> = {},
  kept: readonly SignedAnchor[] = [],
  verifier: ConstructorParameters<typeof VerifyTrail>[1] = genuine,
  now = afterNoon(3600),
) => new VerifyTrail(snapshotOf({ ...WHOLE, ...change }), verifier, now).execute(kept)

test('a whole trail has no problem, and its figures are told', async (t) => {
  t.deepEqual(await verify({}, WHOLE.anchors), {
    ...{ events: 4, eventsFromBefore: 0, subjects: 2, anchors: 2, anchoredAt: NOON, purgedTo: 0 },
    ...{ problemCount: 0, problems: [] },
  })
  t.like(await verify({ anchors: WHOLE.anchors.slice(0, 1) }), { anchors: 1, anchoredAt: NOON })
  t.like(await verify({ anchors: [] }), { anchors: 0, anchoredAt: undefined, problemCount: 0 })
})

const [first, second] = WHOLE.anchors as [SignedAnchor, SignedAnchor]
const CASES: readonly [string, Partial<typeof WHOLE>, readonly string[]][] = [
  [
    'an event before that is gone',
    { anchors: [], events: [b1, { ...a2, previous: undefined }, a3] },
    ['the event before event 3, number 1, is gone'],
  ],
  ...(
    [
      ['another hash', { hash: 'x' }],
      ['another subject', { subjectUserId: 'b' }],
      ['another place', { position: 2 }],
      ['a later id', { id: 3 }],
    ] as const
  ).map(
    ([what, change]) =>
      [
        `a predecessor with ${what}`,
        { events: [a1, b1, { ...a2, previous: { ...a1, ...change } }, a3] },
        [`event ${'id' in change ? 3 : 1} was changed, or event 3, which follows it`],
      ] as [string, Partial<typeof WHOLE>, string[]],
  ),
  [
    'a first event with a place behind another',
    { events: [{ ...a1, position: 2 }, b1, a2, a3] },
    ['event 1 does not begin the chain of its subject'],
  ],
  [
    'a first event that carries a hash',
    { events: [{ ...a1, previousHash: 'x' }, b1, a2, a3] },
    ['event 1 does not begin the chain of its subject'],
  ],
  [
    'an event outside of the chains',
    { events: [a1, b1, a2, a3, { id: 5, position: undefined }] },
    ['event 5 was added without a place in a chain'],
  ],
  [
    'a newest event that is gone',
    { heads: [head(a3), { ...head(b1), event: undefined }] },
    ['the newest event of b, number 2, is gone'],
  ],
  [
    'a newest event with another hash',
    { heads: [head(a3), { ...head(b1), hash: 'x' }] },
    ['event 2, the newest of b, was changed'],
  ],
  [
    'a newest event at another place',
    { heads: [head(a3), { ...head(b1), position: 2 }] },
    ['event 2, the newest of b, was changed'],
  ],
  [
    'a newest event of another subject',
    { heads: [head(a3), { ...head(b1), subjectUserId: 'c' }] },
    ['event 2, the newest of c, was changed'],
  ],
  [
    'a head with a place and no event',
    {
      heads: [
        head(a3),
        head(b1),
        { subjectUserId: 'c', position: 1, hash: '', eventId: undefined, event: undefined },
      ],
    },
    ['the chain of c has no end'],
  ],
  [
    'an event that nothing leads to',
    { anchors: [], events: [a1, b1, a2, event(5, 'a', 2, a1), a3] },
    ['5 events are in 2 chains, which should have 4'],
  ],
  [
    'an event behind what is purged, in no chain',
    {
      ...{ purgedTo: 1, anchors: [] },
      events: [b1, a2, a3, { ...event(5, 'c', 0, a1), previous: undefined }],
    },
    ['4 events are in 2 chains, which should have 4'],
  ],
  ['a chain without a head', { heads: [head(a3)] }, ['4 events are in 1 chains, which should have 3']],
  ['a first anchor that is gone', { anchors: [second] }, ['an anchor before number 2 is gone']],
  [
    'an anchor that is not signed on top of the one before',
    { anchors: [first, { ...second, previous: 'x' }] },
    ['anchor 2 does not follow the one before'],
  ],
  [
    'an anchor that leaves out ids',
    { anchors: [{ ...first, lastId: -1 }, second] },
    ['anchor 2 does not follow the one before'],
  ],
  [
    'an anchor of other events',
    { anchors: [first, { ...second, digest: 'h1,h2,x' }] },
    ['the events from 1 to 3 are not the ones of anchor 2: it has 3, the trail 3'],
  ],
  [
    'an anchor of more events',
    { anchors: [first, { ...second, events: 4 }] },
    ['the events from 1 to 3 are not the ones of anchor 2: it has 4, the trail 3'],
  ],
  [
    'an anchor behind all events',
    { anchors: [first, second, anchor(3, 4, 9, ['h4', 'h5'])] },
    ['the events from 4 to 9 are not the ones of anchor 3: it has 2, the trail 1'],
  ],
]
for (const [what, change, problems] of CASES) {
  test(`${what} is named`, async (t) => {
    const report = await verify(change)

    t.deepEqual(report.problems, problems)
    t.is(report.problemCount, problems.length)
  })
}

test('subjects without an event and events from before the chains are no problem', async (t) => {
  const none = { subjectUserId: 'c', position: 0, hash: '', eventId: undefined, event: undefined }
  const report = await verify({
    anchors: [],
    events: [{ id: -1, position: undefined }, { id: 0, position: undefined }, a1, b1, a2, a3],
    heads: [...WHOLE.heads, none],
  })

  t.like(report, { eventsFromBefore: 2, subjects: 3, problemCount: 0 })
})

test('a chain may begin behind what is purged, and nowhere else', async (t) => {
  const cut = {
    purgedTo: 2,
    anchors: [first, second, anchor(3, 4, 4, ['h4'])],
    events: [{ ...a2, previous: undefined }, a3],
  }
  t.like(await verify(cut), { events: 2, purgedTo: 2, problemCount: 0 })
  t.deepEqual((await verify({ ...cut, purgedTo: 1, heads: [head(a3)] })).problems, [])
  t.like(
    await verify({ ...cut, purgedTo: 2, events: [{ ...a2, previousId: undefined, previousHash: '' }, a3] }),
    {
      problems: ['event 3 does not begin the chain of its subject'],
    },
  )
})

test('an anchor that is purged before its time is named, and after it is not', async (t) => {
  const gone = { purgedTo: 3, events: [{ ...a3, previous: undefined }] }
  const after = (days: number) => afterNoon(days * 86_400)

  t.deepEqual((await verify(gone, [], genuine, after(395.99))).problems, [
    `events up to anchor 2 of ${NOON.toISOString()} are purged, before 397 days were over`,
  ])
  t.is((await verify(gone, [], genuine, after(396))).problemCount, 0)
  t.is(
    (await verify({ ...gone, anchors: [first, { ...second, events: 0 }] }, [], genuine, after(1)))
      .problemCount,
    0,
  )
})

test('signatures are checked where keys are known, of the storage and of the file', async (t) => {
  const forged = {
    verify: ({ number }: SignedAnchor) => (number === 2 ? ('forged' as const) : ('unknown-key' as const)),
  }

  t.deepEqual((await verify({}, [second], forged)).problems, [
    'anchor 1 names the key s1, which is not known here',
    'the signature of anchor 2 is wrong',
    'the signature of anchor 2 in the file is wrong',
  ])
  t.is((await new VerifyTrail(snapshotOf(WHOLE), undefined, NOON).execute([second])).problemCount, 0)
})

test('an anchor of the file that the storage lacks, or has otherwise, is named', async (t) => {
  t.deepEqual((await verify({}, [anchor(3, 4, 4, ['h4']), { ...second, signature: 'x' }])).problems, [
    'anchor 3 is in the file and not in the database: the end of the trail was cut',
    'anchor 2 is not the one in the file: the trail was written anew',
  ])
})

test('all problems are counted, and a hundred are named', async (t) => {
  const loose = Array.from({ length: 150 }, (_, n) => ({ id: 10 + n, position: undefined }))
  const report = await verify({ events: [...WHOLE.events, ...loose] })

  t.is(report.problemCount, 150)
  t.is(report.problems.length, 100)
})
