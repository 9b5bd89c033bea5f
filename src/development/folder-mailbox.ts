import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { z } from 'zod'
import type { Clock } from '../application/ports/clock.ts'
import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  MailUnavailable,
  soleRecipient,
} from '../application/ports/mail-transport.ts'
import type { Mailbox, MailboxMessage } from './mailbox.ts'

/** The mailbox shows this many mails, the newest. */
const CAPACITY = 500
/** Listing the folder costs more than writing a mail, so only every hundredth mail deletes old ones. */
const MAILS_A_LOOK = 100
const MAIL_FILE = /^[0-9a-f-]{36}\.json$/

const StoredMail = z.object({
  id: z.string(),
  /** Absent from the mails of older versions, and of clients without a brand. */
  from: z.string().optional(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  sentAt: z.iso.datetime().transform((text) => new Date(text)),
})

/**
 * The mailbox of all users in development: one JSON file per mail, in a folder that several processes may share. A file name is a
 * UUIDv7, so sorting names sorts mails by time. A file appears complete or not at all.
 */
export class FolderMailbox implements MailTransport, Mailbox {
  readonly #folder: string
  readonly #clock: Clock
  #sent = 0
  #closed = false

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  async send({ sender, to, subject, text, html }: MailMessage): Promise<MailReceipt> {
    if (this.#closed) throw new MailUnavailable('The mailbox is closed')
    const recipient = soleRecipient(to)
    const id = v7()
    const mail = { id, from: sender?.from, to: recipient, subject, text, html, sentAt: this.#clock.now() }
    try {
      if (this.#sent++ % MAILS_A_LOOK === 0) await this.#makeRoom()
      await this.#write(id, JSON.stringify(mail))
    } catch (cause) {
      throw new MailUnavailable('Cannot write to the folder of the mailbox', { cause })
    }
    return { transport: 'mailbox', messageId: id }
  }

  async list(to?: string): Promise<readonly MailboxMessage[]> {
    const mails = await Promise.all(
      (await this.#newestFirst()).slice(0, CAPACITY).map((name) => this.#read(name)),
    )
    return mails
      .filter((mail) => mail !== undefined)
      .filter((mail) => to === undefined || mail.to.toLowerCase() === to.toLowerCase())
  }

  async find(id: string): Promise<MailboxMessage | undefined> {
    const name = `${id}.json`
    return MAIL_FILE.test(name) ? this.#read(name) : undefined
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  async #write(id: string, content: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const unfinished = join(this.#folder, `${id}.unfinished`)
    // A mail contains a code, so no other account of this machine may read it.
    await writeFile(unfinished, content, { mode: 0o600 })
    await rename(unfinished, join(this.#folder, `${id}.json`))
  }

  async #newestFirst(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(unlessMissing)
    return (names ?? [])
      .filter((name) => MAIL_FILE.test(name))
      .sort()
      .reverse()
  }

  async #read(name: string): Promise<MailboxMessage | undefined> {
    // Another process may have deleted it meanwhile, to make room.
    const content = await readFile(join(this.#folder, name), 'utf8').catch(unlessMissing)
    return content === undefined ? undefined : parsed(content, name)
  }

  async #makeRoom(): Promise<void> {
    const surplus = (await this.#newestFirst()).slice(CAPACITY)
    await Promise.all(surplus.map((name) => rm(join(this.#folder, name), { force: true })))
  }
}

function parsed(content: string, name: string): MailboxMessage {
  try {
    return StoredMail.parse(JSON.parse(content))
  } catch {
    throw new Error(`${name} in the folder of the mailbox is not a mail: delete it`)
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
