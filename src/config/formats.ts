import { createPrivateKey } from 'node:crypto'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import addressparser from 'nodemailer/lib/addressparser'
import { z } from 'zod'
import { parseUnambiguous, RepeatedMember } from '../contracts/unambiguous-json.ts'
import { DomainName } from '../domain/domain-name.ts'
import { MAX_ADDRESS } from '../domain/email-address.ts'
import { IDENTITY } from '../domain/identity.ts'
import { isLoopback } from './loopback.ts'

/* The formats of variables. A message continues a sentence that begins with the name of the variable. */

interface Key {
  readonly id: string
  readonly bytes: Uint8Array
}
/** The first key is active, the others still verify. */
export type Keys = readonly [Key, ...Key[]]

/** The keys that sign mails. The first one of a domain signs. */
export type DkimKeys = readonly (Key & {
  /** The domain of the sender that the key is for, in lower case. Undefined: that of `MAIL_FROM`. */
  readonly domain: string | undefined
})[]

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
}

export function url(protocols: readonly string[]) {
  return z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })
}

/** A URL over which keys and tokens travel. Plain HTTP is allowed on this machine only. */
export const secureUrl = url(['https:', 'http:']).refine(
  (text) => !URL.canParse(text) || new URL(text).protocol === 'https:' || isLoopback(new URL(text).hostname),
  'must be an https:// URL, unless it is on this machine',
)

/** One or more `kid:base64`, joined by commas. `length` puts the check of `accepts` into words. */
export function keys(accepts: (length: number) => boolean, length: string) {
  return z.string().transform((text, context): Keys => {
    const parsed = text
      .split(',')
      .map((entry) => /^([A-Za-z0-9._-]{1,32}):([A-Za-z0-9+/]+={0,2})$/.exec(entry.trim()))
    const found = parsed.flatMap((match) =>
      match ? [{ id: match[1]!, bytes: Buffer.from(match[2]!, 'base64') }] : [],
    )
    const problem = (message: string) => context.addIssue({ code: 'custom', message })

    if (found.length < parsed.length) problem('must be kid:base64, several joined by commas')
    for (const { id, bytes } of found) {
      if (!accepts(bytes.length)) problem(`key ${id} must be ${length}: openssl rand -base64 32`)
      else if (new Set(bytes).size < 8) problem(`key ${id} is not random: openssl rand -base64 32`)
    }
    if (new Set(found.map(({ id }) => id)).size < found.length) problem('has two keys of one kid')
    if (new Set(found.map(({ bytes }) => bytes.toString('hex'))).size < found.length)
      problem('has one key under two kids')
    return found as unknown as Keys
  })
}

/** Receivers verify up to 4,096 bits, and some count fewer than 2,048 as none (RFC 8301 §3.2). */
const RSA_BITS = [2048, 4096] as const

/** One or more `selector:base64` or `selector@domain:base64` of a private RSA key, joined by commas. The first of a domain signs. */
export const dkimKeys = z.string().transform((text, context): DkimKeys => {
  const found = text.split(',').map((entry) => {
    const [, id = '', domain, base64 = ''] =
      /^([^:@]*)(?:@([^:@]*))?:([A-Za-z0-9+/]+={0,2})$/.exec(entry.trim()) ?? []
    return {
      id,
      domain: domain === undefined ? undefined : (DomainName.toAscii(domain) ?? '').toLowerCase(),
      bytes: Buffer.from(base64, 'base64'),
    }
  })
  const problem = (message: string) => context.addIssue({ code: 'custom', message })
  if (found.some(({ id, bytes }) => !isSelector(id) || bytes.length === 0)) {
    problem(
      'must be selector:base64 or selector@domain:base64, several joined by commas; a selector is a label of a domain name',
    )
    return z.NEVER
  }
  for (const { id, domain, bytes } of found) {
    if (domain !== undefined && !DomainName.isFull(domain))
      problem(`key ${id} must be for a full domain name, as in ${id}@bank.example`)
    const bits = rsaBits(bytes)
    if (bits === undefined) {
      problem(
        `key ${id} must be a private RSA key, as PKCS #8 in DER: openssl pkey -outform DER | base64 -w0`,
      )
    } else if (bits < RSA_BITS[0] || bits > RSA_BITS[1]) {
      problem(
        `key ${id} must have ${RSA_BITS[0]} to ${RSA_BITS[1]} bits: countersign keys generate-dkim ${id}`,
      )
    }
  }
  if (new Set(found.map(({ id, domain = '' }) => `${id.toLowerCase()}@${domain}`)).size < found.length)
    problem('has two keys of one selector')
  if (
    new Set(found.map(({ domain = '', bytes }) => `${bytes.toString('hex')}@${domain}`)).size < found.length
  )
    problem('has one key under two selectors')
  return found
})

/** RFC 6376 §3.1: one or more labels of a domain name. */
export function isSelector(text: string): boolean {
  return (
    text.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(text)
  )
}

function rsaBits(bytes: Buffer): number | undefined {
  try {
    const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
    return key.asymmetricKeyType === 'rsa' ? key.asymmetricKeyDetails?.modulusLength : undefined
  } catch {
    return undefined
  }
}

/** Name servers by their addresses, joined by commas, each with or without a port. Node takes them in the same form. */
export const nameServers = z
  .string()
  .transform((text) => text.replaceAll(' ', ''))
  .refine(
    (text) => text.split(',').every(isNameServer),
    'must be the addresses of name servers, joined by commas, as in 192.0.2.53 or [2001:db8::53]:5353',
  )

function isNameServer(text: string): boolean {
  if (isIP(text) !== 0) return true
  const [, ipv6, ipv4, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  return (isIPv6(ipv6 ?? '') || isIPv4(ipv4 ?? '')) && Number(port) >= 1 && Number(port) <= 65_535
}

/**
 * One or more `name=value`, joined by commas. The OTLP exporter specifies this form: W3C Baggage §3.3.1 without properties.
 */
/** Addresses and subnets, as in `10.0.0.10, 10.1.0.0/16, fd00::/8`. */
export const subnets = z.string().transform((text, context): readonly string[] => {
  const entries = text.split(',').map((entry) => entry.trim())
  if (!entries.every(isSubnet)) {
    context.addIssue({
      code: 'custom',
      message:
        'must be addresses or subnets such as 10.0.0.0/8, several joined by commas, none of them everything',
    })
  }
  return entries
})

/** A subnet of everything would let every client say where it comes from. */
function isSubnet(entry: string): boolean {
  const [, address = '', prefix] = /^([0-9A-Fa-f:.]+)(?:\/([1-9]\d{0,2}))?$/.exec(entry) ?? []
  const family = isIP(address)
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128))
}

export const pairs = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const found = text.split(',').flatMap((entry) => {
    const [, name, encoded] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([\x21-\x7e]*)$/.exec(entry.trim()) ?? []
    const value = decoded(encoded)
    return name !== undefined && value !== undefined && /^[\x20-\x7e]*$/.test(value) ? [[name, value]] : []
  })
  if (found.length < text.split(',').length) {
    context.addIssue({
      code: 'custom',
      message: 'must be name=value, several joined by commas, values percent-encoded',
    })
  }
  return Object.fromEntries(found)
})

/** Claims that a person or an administrator can change. Another user may get an old value. */
const CHANGEABLE_CLAIMS = ['email', 'name', 'nickname', 'preferred_username', 'unique_name', 'upn']

/** The name of one claim at the top of a token. */
export const claimName = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be the name of one claim, without spaces')

/** A claim whose value stays with one user. */
export const userClaim = claimName.refine(
  (name) => !CHANGEABLE_CLAIMS.includes(name),
  'must be a claim that never changes: an old e-mail address or name may become that of another user',
)

/** `name=value`: a claim, and the text that it must have. */
export const claimAndValue = z
  .string()
  .regex(/^[\x21-\x3c\x3e-\x7e]{1,255}=[\x20-\x7e]{1,255}$/, 'must be name=value, as in idtyp=app')

/** Ids of clients, joined by commas. */
export const clients = z
  .string()
  .transform((text) => text.split(',').map((each) => each.trim()))
  .refine(
    (ids) => ids.every((id) => /^[\x21-\x2b\x2d-\x7e]{1,255}$/.test(id)),
    'must be ids of clients, joined by commas',
  )

/** The transports in the order in which they are tried. */
export const mailTransports = z
  .string()
  .transform((text) => text.replaceAll(' ', ''))
  .pipe(
    z.enum(
      ['mailbox', 'smtp', 'postmark', 'postmark,smtp', 'smtp,postmark'],
      'must be mailbox, smtp or postmark, or the last two with a comma in the order to try them',
    ),
  )

/** The same form as that of `smtpSender`: a domain of one label is allowed, because in development it is `localhost`. */
const ADDRESS = /^[^\s@<>"(),:;[\]\\\P{ASCII}]+@[A-Za-z0-9.-]+$/u

/** One mailbox, with or without a name. An internationalised domain becomes its A-labels. */
export const mailbox = z.string().transform((text, context): string => {
  const at = text.lastIndexOf('@')
  const [, domain = '', rest = ''] = /^([^\s>]*)(.*)$/s.exec(text.slice(at + 1)) ?? []
  const ascii = DomainName.toAscii(domain)
  const written = `${text.slice(0, at + 1)}${ascii}${rest}`
  const [parsed, ...others] = addressparser(written)
  if (
    /[\r\n]/.test(text) ||
    ascii === undefined ||
    others.length > 0 ||
    !ADDRESS.test(parsed?.address ?? '')
  ) {
    context.addIssue({
      code: 'custom',
      message:
        'must be one line with one mailbox, as in Countersign <no-reply@bank.example>; the part before the @ in ASCII',
    })
  }
  return written
})

/** What a client may say in EHLO (RFC 5321 §4.1.1.1): a full domain name, or an address in brackets. */
export const ehloName = z.string().transform((text, context): string => {
  const [, ipv6, ipv4] = /^\[(?:IPv6:(.*)|(.*))\]$/i.exec(text) ?? []
  const name = DomainName.toAscii(text) ?? ''
  if (!DomainName.isFull(name) && !isIPv6(ipv6 ?? '') && !isIPv4(ipv4 ?? '')) {
    context.addIssue({
      code: 'custom',
      message: 'must be a full domain name, as in countersign.bank.example, or an address, as in [192.0.2.1]',
    })
  }
  return name
})

/** The longest part before the `@` of a bounce address, and the `@`. */
const BOUNCE_LOCAL_PART = 61

/** A domain for envelope senders, as A-labels in lower case. */
export const bounceDomain = z.string().transform((text, context): string => {
  const domain = DomainName.toAscii(text)?.toLowerCase() ?? ''
  if (!DomainName.isFull(domain) || domain.length + BOUNCE_LOCAL_PART > MAX_ADDRESS) {
    context.addIssue({ code: 'custom', message: 'must be a full domain name, as in bounces.bank.example' })
  }
  return domain
})

/**
 * Where services get their events, by client id: `{"payments": "https://…", "payees": null}`. Here only the form is checked; a rule checks
 * where the URLs lead.
 */
export const webhooks = z.string().transform((text, context): ReadonlyMap<string, string | undefined> => {
  const problem = (message: string) => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  let entries: [string, unknown][]
  try {
    const parsed = parseUnambiguous(text)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new SyntaxError()
    entries = Object.entries(parsed)
  } catch (error) {
    if (error instanceof RepeatedMember) return problem('names a client twice')
    return problem('must be a JSON object of client ids and URLs, as in {"payments": "https://…"}')
  }
  if (entries.some(([clientId]) => !IDENTITY.test(clientId)))
    return problem('has a client id that is not 1 to 255 printable ASCII characters')
  const odd = entries.find(([, url]) => url !== null && typeof url !== 'string')
  if (odd) return problem(`must have a URL or null for ${odd[0]}`)
  return new Map(entries.map(([clientId, url]) => [clientId, (url as string | null) ?? undefined]))
})

/** An instant with its offset from UTC, so that every instance reads the same one. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an instant, as in 2030-01-31T18:00:00Z' })
  .transform((text) => new Date(text))

/** An IANA time zone. `Intl` also accepts a bare offset, but an offset has no summer time. */
export const timeZone = z.string().refine((name) => {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}, 'must be an IANA time zone, as in Europe/Berlin')

/** An origin to which browsers can bind a code: a secure one, or `localhost` in development. */
export const appOrigin = z.string().refine((text) => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, origin } = new URL(text)
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost'))
}, 'must be an https:// origin without a path, or http:// on localhost')

/** An origin to which browsers send a session: a secure one, or one of this machine. */
export const secureOrigin = secureUrl.refine(
  (text) => !URL.canParse(text) || new URL(text).origin === text,
  'must be an origin without a path, as in https://support.bank.example',
)

/** Scopes of a sign-in (RFC 6749 §3.3), separated by single blanks. Without `openid` there is no ID token (OpenID Connect Core §3.1.2.1). */
export const signInScopes = z
  .string()
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
    'must be scopes, separated by single blanks',
  )
  .refine((text) => text.split(' ').includes('openid'), 'must have the scope openid')

/** One role. A blank would separate two roles in a claim that is one text. */
export const roleName = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be the name of one role, without spaces')

/** Whether the URL has no credentials. Each call of `fetch` would reject a URL with credentials. */
export function withoutUserInfo(text: string): boolean {
  return !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === '')
}

function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
