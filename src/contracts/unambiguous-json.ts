/** Strings, and the characters that give a JSON text its structure. Numbers and literals say nothing about members. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g

type Path = readonly (string | number)[]

/** An object or a list that is not closed yet. `at`: the member or the item that is being read. */
type Open = { names: Set<string>; at: string; named: boolean } | { names: undefined; at: number }

/**
 * Parses a JSON text in which each object names a member once (RFC 7493 §2.3). `JSON.parse` keeps the last of two members with
 * one name, and other parsers keep the first. So a proxy could check one value, and the service use the other.
 *
 * @throws {SyntaxError} if the text is not JSON.
 * @throws {RepeatedMember}
 */
export function parseUnambiguous(text: string): unknown {
  const parsed: unknown = JSON.parse(text)
  // The text is well-formed, so its tokens alone tell where names are. Nothing here calls itself: the text may nest deeply.
  const open: Open[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    const inner = open.at(-1)
    if (token === '{') open.push({ names: new Set(), at: '', named: false })
    else if (token === '[') open.push({ names: undefined, at: 0 })
    else if (token === '}' || token === ']') open.pop()
    else if (inner?.names === undefined) {
      if (token === ',' && inner) inner.at++
    } else if (token === ',') inner.named = false
    else if (token !== ':' && !inner.named) {
      inner.at = JSON.parse(token) as string
      inner.named = true
      if (inner.names.has(inner.at)) throw new RepeatedMember(open.map(({ at }) => at))
      inner.names.add(inner.at)
    }
  }
  return parsed
}

/** An object of a JSON text has two members with one name, however each is spelled. */
export class RepeatedMember extends Error {
  /** Where the second one is: names of members, and indexes of lists. */
  readonly path: Path

  constructor(path: Path) {
    super('A member appears twice')
    this.path = path
  }
}
