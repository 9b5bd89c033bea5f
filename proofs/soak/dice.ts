import { seededFraction } from '../chaos/seeded-fraction.ts'

/** Pseudo-random decisions. The same seed and name give the same sequence. */
export class Dice {
  readonly #seed: number
  readonly #name: string
  #thrown = 0

  constructor(seed: number, name: string) {
    this.#seed = seed
    this.#name = name
  }

  between(least: number, most: number): number {
    return least + seededFraction(this.#seed, `${this.#name} ${this.#thrown++}`) * (most - least)
  }

  /** An integer from `least` to `most`. */
  whole(least: number, most: number): number {
    return Math.min(most, Math.floor(this.between(least, most + 1)))
  }

  happens(share: number): boolean {
    return this.between(0, 1) < share
  }

  pick<Face>(faces: readonly Face[]): Face {
    return faces[this.whole(0, faces.length - 1)]!
  }

  /** Each item once, in random order. */
  shuffled<Face>(faces: readonly Face[]): Face[] {
    const places = faces.map((face) => ({ face, place: this.between(0, 1) }))
    return places.toSorted((one, other) => one.place - other.place).map(({ face }) => face)
  }
}
