import fc from 'fast-check'
import type { ApiDocument } from '../../test/support/api-document.ts'

interface TextSchema {
  readonly pattern?: string
  readonly maxLength?: number
  readonly enum?: readonly unknown[]
}

/** Of each form, so many texts are made, and then used again: to make one takes longer than to ask the service. */
const TEXTS_OF_A_FORM = 100

/** What requests are made of, by the word of the document alone. */
export class Palette {
  readonly api: ApiDocument
  /** Each length, count and number that the document limits something to, and its neighbours. */
  readonly boundaries: readonly number[]
  readonly #seed: number
  readonly #texts = new Map<string, fc.Arbitrary<string>>()

  constructor(api: ApiDocument, seed: number) {
    this.api = api
    this.boundaries = boundariesOf(api)
    this.#seed = seed
  }

  /** Texts that a schema allows. */
  texts({ pattern, maxLength, enum: choices }: TextSchema): fc.Arbitrary<string> {
    if (choices) return fc.constantFrom(...choices.map(String))
    const key = JSON.stringify([pattern, maxLength])
    const known = this.#texts.get(key) ?? this.#collected(textsOf(pattern, maxLength))
    this.#texts.set(key, known)
    return known
  }

  /** The shortest first, since a failure is made smaller towards the first. */
  #collected(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
    const found = fc.sample(texts, { seed: this.#seed, numRuns: TEXTS_OF_A_FORM })
    return fc.constantFrom(...found.toSorted((one, other) => one.length - other.length))
  }
}

function textsOf(pattern: string | undefined, maxLength = 300): fc.Arbitrary<string> {
  // Lengths are counted in UTF-16 units.
  const fits = (text: string) => text.length <= maxLength
  if (pattern === undefined) return fc.string({ unit: 'grapheme', maxLength: 40 }).filter(fits)
  const form = new RegExp(pattern, 'u')
  // What is only looked ahead at, and what must not be in a text, leave more than can be made from them.
  const body = pattern.replace(/^\^\(\?=[^)]*\)/, '^')
  const texts = /\\p\{|\\S/.test(body)
    ? fc.string({ unit: 'grapheme', minLength: 1, maxLength })
    : fc.stringMatching(new RegExp(body, 'u'), { maxLength, size: 'small' })
  return texts.filter((text) => fits(text) && form.test(text))
}

function boundariesOf({ document }: ApiDocument): readonly number[] {
  const limits = [...JSON.stringify(document).matchAll(/"(?:max|min)\w*":(\d+)|\{(\d+),(\d+)\}/g)].flatMap(
    (match) => match.slice(1).flatMap((each) => (each === undefined ? [] : [Number(each)])),
  )
  // Of a pattern, {0,253} is what stands between the first and the last.
  const near = limits.flatMap((limit) => [-1, 0, 1, 2, 3].map((distance) => limit + distance))
  return [...new Set([...near, 16_000, 2 ** 31 - 1, 2 ** 31, 2 ** 53])]
    .filter((each) => each >= 0)
    .toSorted((one, other) => one - other)
}
