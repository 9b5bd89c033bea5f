import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** How an asset can be sent, the smallest first. */
export const ENCODINGS = ['br', 'gzip', 'identity'] as const
export type Encoding = (typeof ENCODINGS)[number]

export interface Representation {
  readonly body: Buffer
  /** Each encoding has its own (RFC 9110 §8.8.3). */
  readonly tag: string
}

/** A higher level takes seconds of CPU for the script of the page, and saves a few percent. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }

/** Something that never changes while the process runs. It is read, compressed and hashed once, when somebody first asks for it. */
export class Asset {
  readonly #read: () => Promise<Buffer>
  #representations: Promise<Readonly<Record<Encoding, Representation>>> | undefined

  constructor(read: () => Promise<Buffer>) {
    this.#read = read
  }

  async as(encoding: Encoding): Promise<Representation> {
    this.#representations ??= this.#prepare()
    try {
      return (await this.#representations)[encoding]
    } catch (error) {
      this.#representations = undefined
      throw error
    }
  }

  async #prepare(): Promise<Readonly<Record<Encoding, Representation>>> {
    const identity = await this.#read()
    const br = await promisify(brotliCompress)(identity, BROTLI)
    const zipped = await promisify(gzip)(identity)
    return { br: represent(br), gzip: represent(zipped), identity: represent(identity) }
  }
}

function represent(body: Buffer): Representation {
  return { body, tag: `"${createHash('sha256').update(body).digest('base64url')}"` }
}
