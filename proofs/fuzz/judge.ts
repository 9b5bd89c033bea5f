import type { ApiDocument, Exchange } from '../../test/support/api-document.ts'
import type { FuzzRequest } from './request.ts'
import type { WireAnswer } from './wire.ts'

/** The secrets that no answer may contain, except the answers that exist to return them. */
export interface Secrets {
  readonly addresses: readonly string[]
  readonly codes: readonly string[]
  /** Keys, tokens and passwords. */
  readonly keys: readonly string[]
}

/** The paths that return a mail, or a user with their address, or all that is kept about one. */
const TELL_ADDRESSES = ['readUser', 'putUser', 'exportUser', 'readDevelopmentMailbox', 'readDevelopmentMail']
const TELL_CODES = ['readDevelopmentMailbox', 'readDevelopmentMail']
/** Signs of the service's internals. */
const INTERNALS =
  /node_modules|\/src\/|\bat \S+ \(|prisma|postgres(?:ql)?:|ECONNREFUSED|SELECT |UPDATE |INSERT |violates/i
/** Static files, in which such words and numbers mean something else. */
const DOCUMENTATION = ['readApiDocument', 'showApi', 'readPartOfPage']
/** The demo bank is not part of the API, and not in its document. */
const OF_THE_BANK = /^\/?(?:\?|$)|^\/(?:bank|backstage)(?:\/|$)/
/** The answers to requests that Node cannot or will not parse. */
const BROKEN = [400, 408, 417, 431]
/** Node keeps the first of these headers if they are repeated (`message.headers`). */
const FIRST_COUNTS = [
  'authorization',
  'content-type',
  'content-length',
  'host',
  'user-agent',
  'referer',
  'from',
]

/** Why the answer to a request is not allowed. Empty if it is allowed. */
export function faultsOf(
  api: ApiDocument,
  request: FuzzRequest,
  { status, headers, body, afterUpgrade = false }: WireAnswer,
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
    ...(status === 408 && isWhole(request, afterUpgrade) ? ['it was all there, and was waited for'] : []),
    ...documented,
    ...expectationFaults(request, status, body),
    ...requestIdFaults(request, status, headers, body),
    ...leaks(operation?.operationId ?? '', `${[...headers].join('\n')}\n${body}`, secrets),
  ]
}

/** After an ignored upgrade, Node 24 does not reject an invalid request, but waits for the rest of it. */
function isWhole({ kind, bytes }: FuzzRequest, afterUpgrade: boolean): boolean {
  return bytes === undefined && (kind === 'right' || !afterUpgrade)
}

/** A valid request must not be rejected as invalid. A forged token must get nothing. */
function expectationFaults({ kind, target, status: expected }: FuzzRequest, status: number, body: string) {
  if (expected !== undefined && status !== expected) return [`${expected} was expected, not ${status}`]
  if (kind !== 'right') return []
  const refused = (status === 400 && /:BAD_REQUEST"/.test(body)) || [405, 413, 415].includes(status)
  // A challenge, a user or a mail may be missing.
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
  // The service answers an unreadable request before it knows its id.
  const unread = BROKEN.includes(status) && OWN_ID.test(id ?? '')
  const told = /"requestId":"([^"]*)"/.exec(body)?.[1]
  return [
    ...(known && !unread && id !== given[0]![1] ? [`the answer is to ${id}, not to ${given[0]![1]}`] : []),
    ...(told !== undefined && body.startsWith('{"code":"urn:') && told !== id
      ? ['the body names another request']
      : []),
  ]
}

/** An id that the service made. */
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
    ...(INTERNALS.test(answer) ? ['the answer reveals internals'] : []),
  ]
}

/** Matches it only outside a longer number or id. */
export function standsIn(text: string, code: string): boolean {
  return new RegExp(`(?<![\\w])${code}(?![\\w])`).test(text)
}

function documentFaults(api: ApiDocument, exchange: Exchange): readonly string[] {
  const { method, path, response } = exchange
  if (path === '' && !BROKEN.includes(response.status)) return [`${method} answered ${response.status}`]
  try {
    return api.faultsOf(exchange, { extras: 'ignored' })
  } catch (error) {
    return [`it cannot be compared with the document: ${error}`]
  }
}

/** The ways in which the service may read a target: as it is, without its fragment, and without its authority. */
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
