import type { ApiDocument, Exchange } from '../../test/support/api-document.ts'
import type { FuzzRequest } from './request.ts'
import type { WireAnswer } from './wire.ts'

/** What no answer may hold, except those that are there to tell it. */
export interface Secrets {
  readonly addresses: readonly string[]
  readonly codes: readonly string[]
  /** Keys, tokens and passwords. */
  readonly keys: readonly string[]
}

/** Where a mail is read, or a user whose address it is. */
const TELL_ADDRESSES = ['readUser', 'putUser', 'readDevelopmentMailbox', 'readDevelopmentMail']
const TELL_CODES = ['readDevelopmentMailbox', 'readDevelopmentMail']
/** What only the inside of the service knows. */
const INTERNALS =
  /node_modules|\/src\/|\bat \S+ \(|prisma|postgres(?:ql)?:|ECONNREFUSED|SELECT |UPDATE |INSERT |violates/i
/** Files of the package, the same for everybody, where such words and numbers stand for something else. */
const DOCUMENTATION = ['readApiDocument', 'showApi', 'readPartOfPage']
/** The bank of a development set-up is no part of the API, and in no document. */
const OF_THE_BANK = /^\/?(?:\?|$)|^\/(?:bank|backstage)(?:\/|$)/
/** Answers to what Node could not read as a request, or would not. */
const BROKEN = [400, 408, 417, 431]
/** Of what comes several times, Node keeps the first (`message.headers`). */
const FIRST_COUNTS = [
  'authorization',
  'content-type',
  'content-length',
  'host',
  'user-agent',
  'referer',
  'from',
]

/** Why the answer to a request is not one that it may have; nothing if it may. */
export function faultsOf(
  api: ApiDocument,
  request: FuzzRequest,
  { status, headers, body }: WireAnswer,
  secrets: Secrets,
): readonly string[] {
  const exchanges = targetsOf(request.target).map(
    (path): Exchange => ({
      ...{ method: request.method, path },
      request: { headers: received(request.headers), body: request.body && decoded(request.body) },
      response: { status, headers, body },
    }),
  )
  const verdicts = exchanges.map((exchange) => documentFaults(api, exchange))
  const broken = request.kind === 'hostile' || request.kind === 'almost right'
  if (broken && BROKEN.includes(status)) {
    verdicts.push(documentFaults(api, { ...exchanges[0]!, method: '', path: '' }))
  }
  const documented = exchanges.some(({ path }) => OF_THE_BANK.test(path))
    ? []
    : (verdicts.find((faults) => faults.length === 0) ?? verdicts[0]!)
  const operation = exchanges.map((exchange) => api.operationOf(exchange)).find((each) => each !== undefined)
  return [
    ...(status >= 500 ? [`a fault of ours: ${status}`] : []),
    ...(status === 408 && isWhole(request) ? ['it was all there, and was waited for'] : []),
    ...documented,
    ...expectationFaults(request, status, body),
    ...requestIdFaults(request, status, headers, body),
    ...leaks(operation?.operationId ?? '', `${[...headers].join('\n')}\n${body}`, secrets),
  ]
}

/** After an upgrade that is not taken up, Node 24 does not tell what is no request, and waits for more of it. */
function isWhole({ target, bytes }: FuzzRequest): boolean {
  return bytes === undefined && /^(?:\/|\*$|https?:)/i.test(target)
}

/** What a right request may not be told: that it is wrong. What a forged token may not get: anything. */
function expectationFaults({ kind, target, status: expected }: FuzzRequest, status: number, body: string) {
  if (expected !== undefined && status !== expected) return [`${expected} was expected, not ${status}`]
  if (kind !== 'right') return []
  const refused = (status === 400 && /:BAD_REQUEST"/.test(body)) || [405, 413, 415].includes(status)
  // A challenge, a user or a mail may well not be there.
  const missing =
    status === 404 && !/:(?:CHALLENGE|USER)_NOT_FOUND"/.test(body) && !target.startsWith('/dev/mailbox/')
  return refused || missing ? ['what the document allows was refused'] : []
}

function requestIdFaults(
  { headers, bytes }: FuzzRequest,
  status: number,
  answered: Headers,
  body: string,
): readonly string[] {
  const id = answered.get('X-Request-ID')
  const given = headers.filter(([name]) => name.toLowerCase() === 'x-request-id')
  const known = bytes === undefined && given.length === 1 && /^[A-Za-z0-9._-]{1,128}$/.test(given[0]![1])
  // What could not be read was answered before its id was known.
  const unread = BROKEN.includes(status) && OWN_ID.test(id ?? '')
  const told = /"requestId":"([^"]*)"/.exec(body)?.[1]
  return [
    ...(known && !unread && id !== given[0]![1] ? [`the answer is to ${id}, not to ${given[0]![1]}`] : []),
    ...(told !== undefined && body.startsWith('{"code":"urn:') && told !== id
      ? ['the body names another request']
      : []),
  ]
}

/** An id that the service gave. */
const OWN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

function leaks(operationId: string, answer: string, { addresses, codes, keys }: Secrets): readonly string[] {
  if (DOCUMENTATION.includes(operationId)) return []
  const found = (secrets: readonly string[]) => secrets.some((secret) => answer.includes(secret))
  return [
    ...(!TELL_ADDRESSES.includes(operationId) && found(addresses) ? ['the answer holds an address'] : []),
    ...(!TELL_CODES.includes(operationId) && codes.some((code) => standsIn(answer, code))
      ? ['the answer holds a code']
      : []),
    ...(found(keys) ? ['the answer holds a key, a token or a password'] : []),
    ...(INTERNALS.test(answer) ? ['the answer tells of the inside'] : []),
  ]
}

/** Not as a part of a longer number or id. */
export function standsIn(text: string, code: string): boolean {
  return new RegExp(`(?<![\\w])${code}(?![\\w])`).test(text)
}

function documentFaults(api: ApiDocument, exchange: Exchange): readonly string[] {
  const { method, path, response } = exchange
  if (path === '' && !BROKEN.includes(response.status)) return [`${method} answered ${response.status}`]
  try {
    return api.faultsOf(exchange, { extras: 'ignored' })
  } catch (error) {
    return [`it cannot be held against the document: ${error}`]
  }
}

/** The path with its query as the service may read it: with an authority in front of it, and a fragment behind it, or without. */
function targetsOf(target: string): readonly string[] {
  const withoutFragment = target.replace(/#.*/s, '')
  const withoutAuthority = withoutFragment.replace(/^[a-z]+:\/\/[^/?]*/i, '') || '/'
  return [...new Set([target, withoutFragment, withoutAuthority])]
}

function received(headers: FuzzRequest['headers']): Headers {
  const kept = new Headers()
  for (const [name, value] of headers) {
    if (FIRST_COUNTS.includes(name.toLowerCase()) && kept.has(name)) continue
    try {
      kept.append(name, value)
    } catch {
      // A value that no header may have: it was refused, or it says nothing to us.
    }
  }
  return kept
}

function decoded(body: Uint8Array): string {
  return new TextDecoder().decode(body)
}
