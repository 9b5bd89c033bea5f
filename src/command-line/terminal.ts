/** What every command that answers takes. */
export interface Output {
  readonly json?: boolean
}

/** The answer of a command: one document for programs, or text for people. */
export function print(document: unknown, text: string, { json }: Output): void {
  process.stdout.write(`${json ? JSON.stringify(document, undefined, 2) : text}\n`)
}

/** Rows under each other, each column as wide as its widest cell; the last one as it is. */
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
