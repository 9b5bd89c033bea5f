import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import type { Logger } from 'pino'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { RecordNotice } from '../../application/mail/record-notice.ts'
import { ConcurrencyConflict } from '../../application/retry-on-conflict.ts'
import type { BounceAddresses } from '../../contracts/bounce-addresses.ts'
import type { NoticeOutcome } from '../../contracts/notice-outcome.ts'
import { StorageUnavailable } from '../../contracts/storage-unavailable.ts'
import { DeliveryNotice } from '../../domain/delivery-notice.ts'
import { deliveryStatusOf } from './delivery-status.ts'
import { NoticeTooLarge, NoticeUnreadable, noticeParts } from './notice-parts.ts'

export interface BounceIntakeOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Whether other processes of this machine listen on the same port, and the system shares the connections out. */
  readonly shared: boolean
}

/** Notices of Microsoft are a hundred kilobytes of HTML. Those that return a whole mail of ours have forty. */
const MAX_NOTICE_BYTES = 512 * 1024
const MAX_CONNECTIONS = 100
const MAX_RECIPIENTS = 10
const MAX_COMMAND_BYTES = 4096
/** RFC 5321 §6.3 */
const MAX_HOPS = 100
const IDLE_CONNECTION_LASTS_MS = 60_000
/** However slowly it arrives. */
const NOTICE_LASTS_MS = 60_000
/** Well below the time that a stopping process has. */
const CONVERSATION_LASTS_MS = 5000

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Takes the notices of mail systems about our mails, over SMTP. Takes no other mail: only the null sender sends notices (RFC 3464 §2),
 * and only to a bounce address. Accepts what it does not understand, because the mail system could do nothing else with it.
 */
export class BounceIntake {
  readonly #options: BounceIntakeOptions
  readonly #addresses: BounceAddresses
  readonly #recordNotice: Pick<RecordNotice, 'execute'>
  readonly #onNotice: (outcome: NoticeOutcome) => void
  readonly #logger: Logger
  readonly #server: SMTPServer

  constructor(
    options: BounceIntakeOptions,
    addresses: BounceAddresses,
    recordNotice: Pick<RecordNotice, 'execute'>,
    logger: Logger,
    onNotice: (outcome: NoticeOutcome) => void = () => {},
  ) {
    this.#options = options
    this.#addresses = addresses
    this.#recordNotice = recordNotice
    this.#logger = logger
    this.#onNotice = onNotice
    this.#server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS', 'VRFY'],
      authOptional: true,
      // A mail system sends any number of notices over one connection, and never logs in.
      maxAllowedUnauthenticatedCommands: false,
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      hideSMTPUTF8: true,
      maxClients: MAX_CONNECTIONS,
      maxCommandLength: MAX_COMMAND_BYTES,
      socketTimeout: IDLE_CONNECTION_LASTS_MS,
      closeTimeout: CONVERSATION_LASTS_MS,
      onMailFrom: ({ address }, _session, done) =>
        done(address === '' ? null : refusal(550, 'Only notices of delivery are taken here')),
      onRcptTo: ({ address }, { envelope }, done) => {
        if (this.#addresses.issuanceOf(address) === undefined) return done(refusal(550, 'No such mailbox'))
        done(envelope.rcptTo.length < MAX_RECIPIENTS ? null : refusal(550, 'Too many recipients'))
      },
      onData: (stream, session, done) => {
        void this.#take(stream, session).then((outcome) =>
          outcome === 'unavailable' ? done(refusal(451, 'Try again later')) : done(null, 'Noted'),
        )
      },
    })
    // A connection that breaks is the mail system's affair. It tries again.
    this.#server.on('error', (error) => this.#logger.debug({ err: error }, 'a bounce connection failed'))
  }

  /** Resolves with the port. Rejects if it is in use or not permitted. */
  async listen(): Promise<number> {
    const { host, port, shared } = this.#options
    const { server } = this.#server
    server.prependListener('connection', sendRepliesTogether)
    server.listen({ host, port, reusePort: shared })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** Accepts no more connections, and resolves when the conversations in progress have ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<NoticeOutcome> {
    // A mail that trickles in is never idle.
    const limit = setTimeout(() => this.#cut(session), NOTICE_LASTS_MS)
    const outcome = await this.#outcomeOf(stream, session).catch((error: unknown): NoticeOutcome => {
      if (error instanceof StorageUnavailable || error instanceof ConcurrencyConflict) return 'unavailable'
      if (error instanceof NoticeTooLarge) return 'oversized'
      if (error instanceof NoticeUnreadable) return 'unreadable'
      this.#logger.error({ err: error }, 'a notice could not be taken')
      return 'failed'
    })
    clearTimeout(limit)
    this.#onNotice(outcome)
    return outcome
  }

  #cut(session: SMTPServerSession): void {
    for (const connection of this.#server.connections) if (connection.session === session) connection.close()
  }

  async #outcomeOf(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<NoticeOutcome> {
    const issuanceIds = envelope.rcptTo.flatMap(({ address }) => {
      const found = this.#addresses.issuanceOf(address)
      return found === undefined || found === 'forged' ? [] : [found]
    })
    if (issuanceIds.length === 0) {
      await finished(stream.resume())
      return 'forged'
    }
    const parts = await noticeParts(stream, MAX_NOTICE_BYTES)
    if (parts.hops > MAX_HOPS) return 'looping'
    const status = deliveryStatusOf(parts)
    if (!status) return 'unreadable'
    const report = DeliveryNotice.judge(status.recipients)

    let outcome: NoticeOutcome = 'ignored'
    for (const issuanceId of issuanceIds) {
      if (isOfAnother(status.envelopeId, issuanceId)) outcome = 'contradictory'
      else if (report) outcome = await this.#recordNotice.execute({ issuanceId, report })
    }
    return outcome
  }
}

/** Our mails have their issuance id as envelope id. A mail system may lose it, or put its own in its place. */
function isOfAnother(envelopeId: string | undefined, issuanceId: string): boolean {
  return envelopeId !== undefined && UUID.test(envelopeId) && envelopeId.toLowerCase() !== issuanceId
}

/** A mail system sends several commands at once (RFC 2920). Their replies leave as one packet, not as one each. */
function sendRepliesTogether(socket: Socket): void {
  socket.prependListener('data', () => {
    socket.cork()
    setImmediate(() => socket.uncork())
  })
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}
