import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { codeIn, hasCode, until } from '../journeys/client.ts'

/** A mail that arrived completely, whether or not its sender lived to get the answer. */
export interface Arrival {
  readonly issuanceId: string
  readonly code: string
  /** The address of its reader. */
  readonly recipient: string
}

/** The mail system of a chaos run. */
export interface CountingInbox {
  readonly url: string
  /** Resolves once every sender has disconnected and every mail is counted. */
  quiet(): Promise<void>
  close(): Promise<void>
}

/**
 * A real SMTP server that calls `taken` for each mail with a code, and `takenWithoutCode` for any other. It answers the sender when
 * the call resolves. Without `takenWithoutCode` it accepts only mails with a code.
 */
export async function countingInbox(
  taken: (arrival: Arrival) => Promise<void>,
  takenWithoutCode = async (_mailId: string): Promise<void> => {
    throw new Error('no code in the mail')
  },
): Promise<CountingInbox> {
  let underWay = 0
  const senders = new Set<string>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onConnect: ({ id }, done) => {
      senders.add(id)
      done()
    },
    onClose: ({ id }) => senders.delete(id),
    onData: (stream, _session, done) => {
      underWay++
      // A sender that is killed in the middle of a mail leaves no mail.
      buffer(stream)
        .then(mailOf)
        .then(({ id, text, recipient }) =>
          hasCode({ text })
            ? taken({ issuanceId: id, code: codeIn({ text }), recipient })
            : takenWithoutCode(id),
        )
        .then(() => done(), done)
        .finally(() => underWay--)
    },
  })
  // A killed sender disconnects without QUIT.
  server.on('error', () => {})
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  return {
    url: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    quiet: async () => {
      await until(
        async () => senders.size + underWay,
        (busy) => busy === 0,
      )
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

async function mailOf(bytes: Buffer) {
  const { messageId, text, to } = await simpleParser(bytes)
  const [recipient] = [to!].flat()
  return { id: messageId!.slice(1, messageId!.indexOf('@')), text: text!, recipient: recipient!.text }
}
