/** Prefixes columns with the letter of their table, so that one row can hold a challenge and everything joined to it. */
export function columns(table: string, names: string): string {
  return names
    .split(' ')
    .map((name) => `${table}.${name} AS ${table}_${name}`)
    .join(', ')
}

/** The result of an outer join: the row, or nulls if no row matches. */
export type Joined<Row> = Row | { readonly [Column in keyof Row]: null }

export function present<Value>(value: Value | null): Value {
  if (value === null) throw new ImpossibleRow('a column that its status demands is null')
  return value
}

/** A row that the CHECKs of the tables forbid. Somebody changed a table by hand, or this code and the schema differ. */
export class ImpossibleRow extends Error {}
