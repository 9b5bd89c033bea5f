import { createReadStream } from 'node:fs'
import { TextDecoder } from 'node:util'

/** The byte order marks of UTF-16. Excel writes "Unicode Text" with one, and PowerShell whatever it redirects. */
const BYTE_ORDER_MARKS = [
  ['utf-16le', 0xff, 0xfe],
  ['utf-16be', 0xfe, 0xff],
] as const

/**
 * The text of a file in UTF-8, or in UTF-16 with a byte order mark. The mark is not part of the text.
 *
 * @throws {Error} with what to do, if the file is in another encoding: names would lose their letters without a word.
 */
export async function* fileText(path: string): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true })
    yield decoded(decoder, chunk, { stream: true })
  }
  if (decoder) yield decoded(decoder)
}

function encodingOf(bytes: Buffer): string {
  return (
    BYTE_ORDER_MARKS.find(([, first, second]) => bytes[0] === first && bytes[1] === second)?.[0] ?? 'utf-8'
  )
}

function decoded(decoder: TextDecoder, bytes?: Buffer, options?: { readonly stream: boolean }): string {
  try {
    return decoder.decode(bytes, options)
  } catch {
    throw new Error(
      `The file is not in ${decoder.encoding.toUpperCase()}. Save it in UTF-8: Excel calls that "CSV UTF-8"`,
    )
  }
}
