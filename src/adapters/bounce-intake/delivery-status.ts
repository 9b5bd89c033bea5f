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

/** Reads the fields of RFC 3464. Undefined if no field is about a recipient. */
export function deliveryStatusOf({ status, words }: NoticeParts): DeliveryStatus | undefined {
  const groups = (status ?? '')
    .split(/\r?\n[\t ]*\r?\n/)
    .map(fieldsOf)
    .filter((fields) => fields.size > 0)
  const recipients = groups.filter((fields) => fields.has('action')).slice(0, MAX_RECIPIENTS)
  if (recipients.length === 0) return undefined
  return {
    envelopeId: groups[0]?.get('original-envelope-id'),
    recipients: recipients.map((fields) => recipientOf(fields, words)),
  }
}

/** Names in lower case, folded fields in one line. If a name comes twice, its first field counts. */
function fieldsOf(group: string): Fields {
  const fields = new Map<string, string>()
  for (const line of group.replaceAll(/\r?\n[\t ]+/g, ' ').split(/\r?\n/)) {
    const [, name, value] = /^([!-9;-~]+)[\t ]*:[\t ]*(.*)$/.exec(line) ?? []
    const key = name?.toLowerCase()
    if (key !== undefined && value !== undefined && !fields.has(key)) fields.set(key, value.trim())
  }
  return fields
}

function recipientOf(fields: Fields, words: string): RecipientNotice {
  // A comment in parentheses may follow.
  const [, action = ''] = /^([a-z]+)/i.exec(fields.get('action') ?? '') ?? []
  const [, status] = /^(\d\.\d{1,3}\.\d{1,3})\b/.exec(fields.get('status') ?? '') ?? []
  const quoted = fields.get('diagnostic-code')?.replace(/^[^;]*;\s*/, '')
  return {
    action: action.toLowerCase(),
    status,
    diagnostic: quoted ?? wordsAbout(addressOf(fields.get('final-recipient')), words),
  }
}

/** `rfc822; alice@example.com`, in any case, with or without a space. */
function addressOf(field: string | undefined): string | undefined {
  return /^[^;]+;\s*<?([^\s<>]+@[^\s<>]+?)>?$/.exec(field ?? '')?.[1]?.toLowerCase()
}

/** OpenSMTPD has no field for the reply. Its text for people has it, in the line of the recipient: `alice@example.com: 550 …`. */
function wordsAbout(address: string | undefined, words: string): string | undefined {
  if (address === undefined) return undefined
  const line = words.split(/\r?\n/).find((each) => each.trim().toLowerCase().startsWith(`${address}: `))
  return line?.trim().slice(address.length + 2)
}
