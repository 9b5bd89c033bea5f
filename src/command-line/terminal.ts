/** The options of every command that prints a result. */
export interface Output {
  readonly json?: boolean
}

/** Prints the result of a command: one document for programs, or text for people. */
export function print(document: unknown, text: string, { json }: Output): void {
  process.stdout.write(`${json ? JSON.stringify(document, undefined, 2) : text}\n`)
}

/** Formats rows as a table. Each column is as wide as its widest cell; the last column is not padded. */
export function aligned(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.slice(0, -1).entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length)

  return rows
    .map(
      (row) =>
        indent +
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
    )
    .join('\n')
}
