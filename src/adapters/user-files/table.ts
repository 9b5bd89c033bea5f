/** The separators that programs write: Excel takes the one of the country, and tabs in "Unicode Text". */
const SEPARATORS = { ',': 'commas', ';': 'semicolons', '\t': 'tabs' } as const

type Separator = keyof typeof SEPARATORS

const REQUIRED = ['userId', 'email']
const COLUMNS = [...REQUIRED, 'locale', 'displayName']
const RULE =
  'must name the columns userId and email, and may name locale and displayName, separated by commas, semicolons or tabs'

/** Excel writes and obeys such a line, to say which separator follows. */
const SEPARATOR_LINE = /^"?sep=[,;\t]"?$/i
/** No line of names is that long. */
const MAX_HEADER = 4096

export interface Table {
  readonly separator: Separator
  /** One name for each column; empty for a column without a name. */
  readonly columns: readonly string[]
  /** The number of the first line after the names. */
  readonly firstLine: number
  /** @throws {Error} if the values of a line were separated by another character than the names. */
  assertSeparates(number: number, values: readonly string[]): void
}

/**
 * Reads how a table is laid out from its first lines.
 *
 * @throws {Error} with the rule, if the names are missing or wrong. It does not repeat them: without names, the first line
 *   has the first user.
 */
export async function tableOf(chunks: AsyncIterable<string>): Promise<Table> {
  const lines = await firstLines(chunks)
  const at = lines.findIndex((line) => line.trim() !== '' && !SEPARATOR_LINE.test(line.trim()))
  const header = lines[at] ?? ''
  const separators = Object.keys(SEPARATORS) as Separator[]
  const separator = separators.find((each) => REQUIRED.every((name) => namesIn(header, each).includes(name)))
  if (separator === undefined) throw new Error(`The first line ${RULE}`)

  const columns = namesIn(header, separator)
  const unknown = columns.findIndex((name) => name !== '' && !COLUMNS.includes(name))
  if (unknown !== -1) throw new Error(`The first line ${RULE}; its column ${unknown + 1} has another name`)
  if (COLUMNS.some((name) => columns.indexOf(name) !== columns.lastIndexOf(name))) {
    throw new Error(`The first line ${RULE}; it has a name twice`)
  }
  return {
    separator,
    columns,
    firstLine: at + 2,
    assertSeparates(number, [value = '', ...others]) {
      const other = separators.find((each) => each !== separator && value.includes(each))
      if (others.every((each) => each === '') && other !== undefined) {
        throw new Error(
          `line ${number} is separated by ${SEPARATORS[other]}, but the first line by ${SEPARATORS[separator]}`,
        )
      }
    },
  }
}

function namesIn(header: string, separator: Separator): string[] {
  return header.split(separator).map((name) =>
    name
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim(),
  )
}

async function firstLines(chunks: AsyncIterable<string>): Promise<readonly string[]> {
  let text = ''
  for await (const chunk of chunks) {
    text += chunk
    if (text.length > MAX_HEADER) break
  }
  return text.slice(0, MAX_HEADER).split(/\r\n|\n|\r/)
}
