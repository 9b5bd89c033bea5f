import type { Readable, Transform } from 'node:stream'
import { type MimeNode, Splitter } from '@zone-eu/mailsplit'

/** The parts of a notice that say what became of a mail. The returned mail, which may hold a code, is never among them. */
export interface NoticeParts {
  /** The fields for programs (RFC 3464), as text. Undefined if the mail is no notice. */
  readonly status: string | undefined
  /** The first text for people; empty without one. */
  readonly words: string
  /** How many servers the notice has passed. */
  readonly hops: number
}

const MAX_HEADER_BYTES = 65_536
const MAX_PARTS = 20
/** How deep a part may be. Notices have their parts at the top; a gateway may wrap them once. */
const MAX_DEPTH = 2
const MAX_PART_BYTES = 65_536
const STATUS_TYPES = ['message/delivery-status', 'message/global-delivery-status']

/** The mail is larger than a notice. */
export class NoticeTooLarge extends Error {}
/** The mail cannot be taken apart. The message repeats nothing of it. */
export class NoticeUnreadable extends Error {}

/**
 * Takes a notice apart while it arrives. Reads the stream to its end, whatever it holds, and keeps none of it beyond the limit.
 *
 * @throws {NoticeTooLarge} @throws {NoticeUnreadable}
 */
export async function noticeParts(mail: Readable, maxBytes: number): Promise<NoticeParts> {
  const reader = new NoticeReader()
  // As a leaf, an embedded mail is passed over. It may be a notice itself, about something else.
  const splitter = new Splitter({
    ignoreEmbedded: true,
    maxHeadSize: MAX_HEADER_BYTES,
    maxChildNodes: MAX_PARTS,
  })
  let unreadable = false
  // The types of the library know one event only.
  const stream = splitter as unknown as Transform
  stream.on('error', () => {
    unreadable = true
  })
  splitter.on('data', (chunk) => {
    if (chunk.type === 'node') reader.begin(chunk)
    else if (chunk.type === 'body') reader.add(chunk.node, chunk.value)
  })
  const ended = new Promise((resolve) => stream.once('close', resolve).once('error', resolve))

  let size = 0
  for await (const chunk of mail as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= maxBytes && !unreadable) splitter.write(chunk)
  }
  if (size > maxBytes) {
    splitter.destroy()
    throw new NoticeTooLarge('The mail is larger than a notice')
  }
  if (!unreadable) splitter.end()
  await ended
  if (unreadable) throw new NoticeUnreadable('The mail cannot be taken apart')
  return reader.parts()
}

/** Keeps the two parts that count, each up to a limit, and passes over everything else. */
class NoticeReader {
  #hops = 0
  #status: MimeNode | undefined
  #words: MimeNode | undefined
  readonly #bodies = new Map<MimeNode, Buffer[]>()
  readonly #sizes = new Map<MimeNode, number>()

  begin(node: MimeNode): void {
    if (node.root) this.#hops = node.headers ? node.headers.get('received').length : 0
    if (node.multipart || depthOf(node) > MAX_DEPTH) return
    const type = node.contentType ? node.contentType.toLowerCase() : 'text/plain'
    if (STATUS_TYPES.includes(type)) this.#status ??= this.#keep(node)
    // sendmail gives its text no type.
    else if (type === 'text/plain' && !this.#status) this.#words ??= this.#keep(node)
  }

  add(node: MimeNode, chunk: Buffer): void {
    const kept = this.#bodies.get(node)
    if (!kept) return
    const size = this.#sizes.get(node)!
    if (size < MAX_PART_BYTES) kept.push(chunk.subarray(0, MAX_PART_BYTES - size))
    this.#sizes.set(node, size + chunk.length)
  }

  parts(): NoticeParts {
    return {
      status: this.#status && this.#textOf(this.#status),
      words: this.#words ? this.#textOf(this.#words) : '',
      hops: this.#hops,
    }
  }

  #keep(node: MimeNode): MimeNode {
    this.#bodies.set(node, [])
    this.#sizes.set(node, 0)
    return node
  }

  #textOf(node: MimeNode): string {
    const body = Buffer.concat(this.#bodies.get(node)!)
    switch (node.encoding) {
      case 'base64':
        return Buffer.from(body.toString('latin1'), 'base64').toString('utf8')
      case 'quoted-printable':
        return quotedPrintable(body.toString('latin1'))
      default:
        return body.toString('utf8')
    }
  }
}

/** RFC 2045 §6.7. Blanks after a soft break are padding, and blanks before it belong to the text. */
function quotedPrintable(text: string): string {
  const bytes = text
    .replaceAll(/=[\t ]*\r?\n/g, '')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function depthOf(node: MimeNode): number {
  let depth = 0
  for (let parent = node.parentNode; parent; parent = parent.parentNode) depth++
  return depth
}
