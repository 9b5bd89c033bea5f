import { join } from 'node:path'
import type { Logger } from 'pino'
import type { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { MailTransport } from '../application/ports/mail-transport.ts'
import { BouncingAddresses } from './bouncing-addresses.ts'
import { FolderMailbox } from './folder-mailbox.ts'

const CLOCK: Clock = { now: () => new Date() }

/** The mailbox of a development set-up. Any number of threads and processes may share it. */
export function mailboxIn(dataDir: string, clock: Clock): FolderMailbox {
  return new FolderMailbox(join(dataDir, 'mailbox'), clock)
}

/** In place of a mail system. It reports bounces to the use case, as the Postmark webhook does in production. */
export function mailboxTransport(
  dataDir: string,
  recordMailEvent: Pick<RecordMailEvent, 'execute'>,
  logger: Logger,
): MailTransport {
  return new BouncingAddresses(mailboxIn(dataDir, CLOCK), async (issuanceId) => {
    const event = { outcome: 'bounced', kind: 'hard-bounce', at: CLOCK.now() } as const
    try {
      await recordMailEvent.execute({ issuanceId, event, origin: undefined })
    } catch (error) {
      logger.warn({ err: error, issuanceId }, 'bounce not recorded')
    }
  })
}
