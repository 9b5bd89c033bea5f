/** Names columns by the letter of their table too, so that one row can hold a challenge and all that is joined to it. */
export function columns(table: string, names: string): string {
  return names
    .split(' ')
    .map((name) => `${table}.${name} AS ${table}_${name}`)
    .join(', ')
}

/** What an outer join gives: the row, or nulls when there is nothing to join. */
export type Joined<Row> = Row | { readonly [Column in keyof Row]: null }

export function present<Value>(value: Value | null): Value {
  if (value === null) throw new ImpossibleRow('a column that its status demands is null')
  return value
}

/** The CHECKs of the tables forbid it, so somebody changed a table by hand, or this code and the schema have parted. */
export class ImpossibleRow extends Error {}
