import type { RecipientNotice } from '../../domain/delivery-notice.ts'
import type { NoticeParts } from './notice-parts.ts'

/** What a notice says about a mail and its recipients. */
export interface DeliveryStatus {
  /** The id under which the mail was sent (ENVID), if the notice repeats it. Not every mail system does, and anyone can write it. */
  readonly envelopeId: string | undefined
  readonly recipients: readonly RecipientNotice[]
}

type Fields = ReadonlyMap<string, string>

/** A mail has one recipient. An alias or a list makes several of it. */
const MAX_RECIPIENTS = 50
/** Characters of a value that count, and of what the text for people says about a recipient. */
const MAX_VALUE = 1024

/** Reads the fields of RFC 3464. Undefined if no field is about a recipient. */
export function deliveryStatusOf({ status, words }: NoticeParts): DeliveryStatus | undefined {
  const groups = (status ?? '')
    .split(/\r?\n[\t ]*\r?\n/)
    .map(fieldsOf)
    .filter((fields) => fields.size > 0)
  const recipients = groups.filter((fields) => fields.has('action')).slice(0, MAX_RECIPIENTS)
  if (recipients.length === 0) return undefined
  const wordsAbout = wordsByAddress(words)
  return {
    envelopeId: groups[0]?.get('original-envelope-id'),
    recipients: recipients.map((fields) => recipientOf(fields, wordsAbout)),
  }
}

/**
 * Names in lower case, folded fields in one line. If a name comes twice, its first field counts. Reads each character a fixed number of
 * times: the sender chooses them.
 */
function fieldsOf(group: string): Fields {
  const fields = new Map<string, string>()
  for (const line of group.replaceAll(/\r?\n[\t ]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':')
    const key = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase()
    if (/^[!-9;-~]+$/.test(key) && !fields.has(key)) {
      const value = line.slice(colon + 1).trim()
      fields.set(key, value.slice(0, MAX_VALUE))
    }
  }
  return fields
}

function recipientOf(fields: Fields, wordsAbout: ReadonlyMap<string, string>): RecipientNotice {
  // A comment in parentheses may follow.
  const [, action = ''] = /^([a-z]+)/i.exec(fields.get('action') ?? '') ?? []
  const [, status] = /^(\d\.\d{1,3}\.\d{1,3})\b/.exec(fields.get('status') ?? '') ?? []
  const quoted = fields.get('diagnostic-code')?.replace(/^[^;]*;\s*/, '')
  return {
    action: action.toLowerCase(),
    status,
    diagnostic: quoted ?? wordsAbout.get(addressOf(fields.get('final-recipient') ?? '')),
  }
}

/** `rfc822; alice@example.com`, in any case, with or without a space or angle brackets. */
function addressOf(field: string): string {
  const text = field.slice(field.indexOf(';') + 1).trim()
  return text.replace(/^</, '').replace(/>$/, '').toLowerCase()
}

/** OpenSMTPD has no field for the reply. Its text for people has it, in the line of the recipient: `alice@example.com: 550 …`. */
function wordsByAddress(words: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of words.split(/\r?\n/)) {
    const text = line.trim()
    const end = text.indexOf(': ')
    const address = text.slice(0, Math.max(end, 0)).toLowerCase()
    if (address.includes('@') && !found.has(address)) {
      found.set(address, text.slice(end + 2, end + 2 + MAX_VALUE))
    }
  }
  return found
}
