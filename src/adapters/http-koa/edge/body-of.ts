import type { z } from 'zod'

/** The body that a route builds for `Schema`. It is immutable, because nothing changes it after that. */
export type BodyOf<Schema extends z.ZodType> = Immutable<z.output<Schema>>

type Immutable<Value> = Value extends Date
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly Immutable<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
      : Value
