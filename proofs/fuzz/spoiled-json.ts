import fc from 'fast-check'
import { ODD_TEXTS } from './odd-texts.ts'
import type { Palette } from './palette.ts'

/** JSON texts with one fault. No program would write many of them. */
export interface SpoiledJson {
  readonly wrong: string
  readonly text: string
}

type Path = readonly (string | number)[]
type Change = (spot: unknown) => unknown

/** A text in the place of a value. */
class Verbatim {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const GONE = Symbol('gone')

const oddTexts = fc
  .array(fc.constantFrom(...ODD_TEXTS), { minLength: 1, maxLength: 4, size: 'max' })
  .map((texts) => texts.join(''))

/** Ways to spoil a JSON value, at and past each boundary in the document. */
export function spoilers({ boundaries: lengths }: Palette): fc.Arbitrary<(json: unknown) => SpoiledJson> {
  const changes: readonly fc.Arbitrary<readonly [wrong: string, change: Change]>[] = [
    fc.constant(['a value is gone', () => GONE]),
    fc
      .constantFrom<unknown>(
        ...[null, true, false, 0, 1, -1, 1.5, 1e21, [], {}, [[]], [null], { a: 1 }],
        ...VERBATIM,
      )
      .map((value) => ['a value of another type', (spot) => (Array.isArray(spot) ? [value] : value)]),
    oddTexts.map((text) => ['an odd text', () => text]),
    fc
      .tuple(oddTexts, fc.nat())
      .map(([text, at]) => ['something odd in a text', (spot) => inserted(spot, text, at)]),
    fc.constantFrom(...lengths).map((length) => ['a text at a boundary', (spot) => lengthened(spot, length)]),
    fc.constantFrom(...lengths).map((count) => ['a list at a boundary', (spot) => repeated(spot, count)]),
    fc
      .tuple(fc.constantFrom(...lengths), fc.constantFrom(-1, 1))
      .map(([number, sign]) => [
        'a number at a boundary',
        (spot) => (typeof spot === 'number' ? sign * number : spot),
      ]),
    fc
      .tuple(
        fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'binary' })),
        fc.jsonValue({ maxDepth: 2 }),
      )
      .map(([key, value]) => ['an unknown key', (spot) => withKey(spot, key, value)]),
    fc.nat().map((at) => ['a key twice', (spot) => withKeyTwice(spot, at)]),
    fc
      .constantFrom(10, 1000, 4000)
      .map((depth) => ['deep nesting', () => new Verbatim('['.repeat(depth) + ']'.repeat(depth))]),
    fc
      .constantFrom(10, 1000, 2500)
      .map((depth) => ['deep nesting', () => new Verbatim('{"a":'.repeat(depth) + 1 + '}'.repeat(depth))]),
  ]
  return fc
    .tuple(fc.nat(), fc.oneof(...changes, ...changes.slice(2, 4), ...changes.slice(2, 4)))
    .map(([at, [wrong, change]]) => (json) => {
      const spots = spotsIn(json)
      const spot = spots[at % spots.length]!
      return { wrong: `${wrong}, at /${spot.join('/')}`, text: written(changedAt(json, spot, change)) ?? '' }
    })
}

/** Numbers and texts that no program of ours would write. */
const VERBATIM = [
  ...['1e400', '-1e400', '1e-400', '123456789012345678901234567890', '-0', '1.0', '1E2', '9007199254740993'],
  ...[
    '01',
    '+1',
    '.5',
    '1.',
    'NaN',
    'Infinity',
    'undefined',
    "'a'",
    '"\\x41"',
    '"\\ud800"',
    '"\\u0000"',
    '"a',
    '"\t"',
  ],
  ...['/* a */ 1', '[1,]', '{"a":1,}', '{a:1}', '{"a"}', '{"__proto__":{"polluted":true}}'],
].map((text) => new Verbatim(text))

function spotsIn(json: unknown): readonly Path[] {
  if (typeof json !== 'object' || json === null) return [[]]
  return [[], ...Object.entries(json).flatMap(([key, value]) => spotsIn(value).map((path) => [key, ...path]))]
}

function changedAt(json: unknown, [key, ...rest]: Path, change: Change): unknown {
  if (key === undefined) return change(json)
  const changed = changedAt((json as Record<string, unknown>)[key], rest, change)
  if (Array.isArray(json)) {
    return changed === GONE ? json.toSpliced(Number(key), 1) : json.with(Number(key), changed)
  }
  return Object.fromEntries(
    Object.entries(json as object).flatMap(([name, value]) => {
      if (name !== key) return [[name, value]]
      return changed === GONE ? [] : [[name, changed]]
    }),
  )
}

function inserted(spot: unknown, text: string, at: number): unknown {
  if (typeof spot !== 'string') return text
  const place = at % (spot.length + 1)
  return spot.slice(0, place) + text + spot.slice(place)
}

/** More does not fit into a body. */
const MAX_LENGTH = 20_000

function lengthened(spot: unknown, length: number): unknown {
  if (typeof spot !== 'string') return 'x'.repeat(Math.min(length, MAX_LENGTH))
  return (spot || 'x').repeat(Math.ceil(Math.min(length, MAX_LENGTH) / (spot.length || 1))).slice(0, length)
}

function repeated(spot: unknown, count: number): unknown {
  const items = Array.isArray(spot) ? spot : [spot]
  return Array.from({ length: Math.min(count, 1000) }, (_, n) => items[n % (items.length || 1)] ?? 'x')
}

function withKey(spot: unknown, key: string, value: unknown): unknown {
  if (typeof spot !== 'object' || spot === null || Array.isArray(spot)) return { [key]: value }
  return Object.fromEntries([...Object.entries(spot), [key, value]])
}

/** Repeats a key. Its first value is null. */
function withKeyTwice(spot: unknown, at: number): unknown {
  const text = written(spot)!
  const keys = typeof spot === 'object' && spot !== null && !Array.isArray(spot) ? Object.keys(spot) : []
  const key = keys[at % (keys.length || 1)]
  return key === undefined ? spot : new Verbatim(`{${JSON.stringify(key)}:null,${text.slice(1)}`)
}

/** Writes JSON, with verbatim texts unchanged. */
function written(value: unknown): string | undefined {
  if (value === GONE) return undefined
  if (value instanceof Verbatim) return value.text
  if (Array.isArray(value)) return `[${value.map((each) => written(each) ?? 'null').join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, each]) => `${JSON.stringify(key)}:${written(each) ?? 'null'}`)
      .join(',')}}`
  }
  return JSON.stringify(value)
}
