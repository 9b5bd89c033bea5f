import type { z } from 'zod'

/** What a route may send for a body that is described by `Schema`: routes build it, and nobody changes it. */
export type BodyOf<Schema extends z.ZodType> = Immutable<z.output<Schema>>

type Immutable<Value> = Value extends Date
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly Immutable<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
      : Value
