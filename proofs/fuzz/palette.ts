import fc from 'fast-check'
import type { ApiDocument } from '../../test/support/api-document.ts'

interface TextSchema {
  readonly pattern?: string
  readonly maxLength?: number
  readonly enum?: readonly unknown[]
}

/** How many texts are made for each form, and then reused: making one takes longer than a request. */
const TEXTS_OF_A_FORM = 100

/** The values for requests, derived only from the document. */
export class Palette {
  readonly api: ApiDocument
  /** Each limit of a length, count or number in the document, and its neighbours. */
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

  /** Sorted by length, because a failure is reduced towards the first value. */
  #collected(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
    const found = fc.sample(texts, { seed: this.#seed, numRuns: TEXTS_OF_A_FORM })
    return fc.constantFrom(...found.toSorted((one, other) => one.length - other.length))
  }
}

function textsOf(pattern: string | undefined, maxLength = 300): fc.Arbitrary<string> {
  // Lengths count UTF-16 units.
  const fits = (text: string) => text.length <= maxLength
  if (pattern === undefined) return fc.string({ unit: 'grapheme', maxLength: 40 }).filter(fits)
  const form = new RegExp(pattern, 'u')
  // For a class of excluded characters, `stringMatching` makes few texts that people write. Generate any text, and filter,
  // unless the form also asks for more, such as `https://`, which no text has by chance.
  const any = fc.string({ unit: 'grapheme', minLength: 1, maxLength })
  const mostlyFit = fc.sample(any, { seed: 1, numRuns: 20 }).filter((text) => form.test(text)).length > 2
  const texts =
    pattern.includes('[^') && mostlyFit ? any : fc.stringMatching(form, { maxLength, size: 'small' })
  return texts.filter((text) => fits(text) && form.test(text))
}

function boundariesOf({ document }: ApiDocument): readonly number[] {
  const limits = [...JSON.stringify(document).matchAll(/"(?:max|min)\w*":(\d+)|\{(\d+),(\d+)\}/g)].flatMap(
    (match) => match.slice(1).flatMap((each) => (each === undefined ? [] : [Number(each)])),
  )
  // In a pattern, {0,253} counts the characters between the first and the last.
  const near = limits.flatMap((limit) => [-1, 0, 1, 2, 3].map((distance) => limit + distance))
  return [...new Set([...near, 16_000, 2 ** 31 - 1, 2 ** 31, 2 ** 53])]
    .filter((each) => each >= 0)
    .toSorted((one, other) => one - other)
}
