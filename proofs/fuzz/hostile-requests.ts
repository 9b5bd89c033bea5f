import fc from 'fast-check'
import type { Palette } from './palette.ts'
import type { FuzzRequest } from './request.ts'
import { partsOf, rightDrafts } from './right-requests.ts'
import type { World } from './world.ts'

/** Requests that no client of this API makes, and hardly any HTTP client. */
export function hostileRequests(palette: Palette, world: World): fc.Arbitrary<FuzzRequest> {
  const right = rightDrafts(palette, world).map(partsOf)
  const changed = fc.tuple(right, fc.oneof(methods, targets, targets, swollenHeads)).map(
    ([request, change]): FuzzRequest => ({
      kind: 'hostile',
      chunked: false,
      ...request,
      ...change(request),
    }),
  )
  const broken = fc.tuple(right, framings).map(([request, [wrong, make]]): FuzzRequest => {
    const bytes = make(request)
    const [, method = 'GET', target = '/'] = /^\s*(\S+) (\S+)/.exec(bytes) ?? []
    return { kind: 'hostile', wrong, chunked: false, ...request, method, target, bytes }
  })
  return fc.oneof({ weight: 3, arbitrary: changed }, { weight: 1, arbitrary: broken })
}

type Parts = ReturnType<typeof partsOf>
type Change = (request: Parts) => Partial<FuzzRequest> & { readonly wrong: string }

const methods: fc.Arbitrary<Change> = fc
  .constantFrom(
    ...[
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'SEARCH',
      'PURGE',
      'MKCOL',
      'LINK',
    ],
    ...['LOCK', 'REPORT', 'M-SEARCH', 'QUERY', 'SOURCE', 'BIND', 'ACL'],
  )
  .map(
    (method): Change =>
      () => ({ wrong: 'the method', method }),
  )

const targets: fc.Arbitrary<Change> = fc
  .constantFrom<readonly [string, (target: string) => string]>(
    ['a slash at the end', (target) => `${target}/`],
    ['a doubled slash at the start', (target) => `/${target}`],
    ['doubled slashes', (target) => target.replaceAll('/', '//')],
    ['upper case', (target) => target.toUpperCase()],
    ['a dot segment', (target) => `/.${target}`],
    ['dot segments', (target) => `/x/..${target}`],
    ['encoded dot segments', (target) => `/x/%2e%2e${target}`],
    ['dot segments at the end', (target) => `${target}/../..`],
    ['encoded slashes', (target) => `/${target.slice(1).replaceAll('/', '%2F')}`],
    ['encoded colons', (target) => target.replaceAll(':', '%3A')],
    [
      'an encoded letter',
      (target) => target.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    ],
    ['an encoded NUL', (target) => `${target}%00`],
    ['an encoded NUL and a suffix', (target) => `${target}%00.json`],
    ['a suffix', (target) => `${target}.json`],
    ['a matrix parameter', (target) => `${target};jsessionid=1`],
    ['a fragment', (target) => `${target}#fragment`],
    ['backslashes', (target) => target.replaceAll('/', '\\')],
    ['octets', (target) => `${target}\xff\xfe`],
    ['UTF-8', (target) => `${target}\xc3\xa4`],
    ['a percent sign', (target) => `${target}%`],
    ['broken UTF-8', (target) => `${target}%E0%A4%A`],
    ['no slash at the start', (target) => target.slice(1)],
    ['an absolute URL', (target) => `http://countersign.example${target}`],
    ['an absolute URL of another', (target) => `https://user:password@evil.example:8443${target}`],
    ['an absolute URL without a path', () => 'http://countersign.example'],
    ['an absolute URL of another scheme', (target) => `ftp://countersign.example${target}`],
    ['a URL with a broken host', (target) => `http://[::1${target}`],
    ['a URL with a broken port', (target) => `http://countersign.example:99999999${target}`],
    ['a URL with an odd host', (target) => `http://a%00b${target}`],
    ['a URL with an empty host', (target) => `http://${target}`],
    ['an authority', () => 'countersign.example:443'],
    ['an asterisk', () => '*'],
    ['a question mark', () => '?'],
    ['two question marks', (target) => `${target}??a=1`],
    ['a letter', () => 'x'],
    ['the root', () => '/'],
    ['slashes', () => '/'.repeat(3000)],
    ['a metric', () => '/metrics'],
    ['a file', () => '/docs/..%2f..%2fpackage.json'],
    ['a mail file', () => '/dev/mailbox/..%2fkeys.json'],
    ['a very long path', (target) => `${target}${'/a'.repeat(3000)}`],
    ['a very long segment', (target) => `${target}${'a'.repeat(9000)}`],
  )
  .map(
    ([wrong, change]): Change =>
      ({ target }) => ({ wrong, target: change(target) }),
  )

const swollenHeads: fc.Arbitrary<Change> = fc
  .constantFrom<readonly [string, readonly (readonly [string, string])[]]>(
    ['a header of 15,000 octets', [['X-Large', 'a'.repeat(15_000)]]],
    ['500 headers', Array.from({ length: 500 }, (_, n) => [`X-${n}`, 'a'] as const)],
    ['100 headers of one name', Array.from({ length: 100 }, () => ['X-Forwarded-For', '10.0.0.1'] as const)],
    ['100 cookies', Array.from({ length: 100 }, (_, n) => ['Cookie', `c${n}=1`] as const)],
    ['an expectation that Node meets', [['Expect', '100-continue']]],
    [
      'an upgrade',
      [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Key', 'AAAA'],
        ['Sec-WebSocket-Version', '13'],
      ],
    ],
    [
      'HTTP/2',
      [
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABk'],
      ],
    ],
    ['a header that goes for one hop', [['Connection', 'Authorization, X-Request-ID, keep-alive']]],
    ['a connection that closes', [['Connection', 'close']]],
    [
      'another host',
      [
        ['X-Forwarded-Host', 'evil.example'],
        ['Forwarded', 'host=evil.example;for="_x"'],
      ],
    ],
    [
      'names of what every object has',
      [
        ['__proto__', 'x'],
        ['constructor', 'x'],
        ['toString', 'x'],
        ['hasOwnProperty', 'x'],
      ],
    ],
    [
      'another method in a header',
      [
        ['X-HTTP-Method-Override', 'DELETE'],
        ['X-Method-Override', 'DELETE'],
      ],
    ],
    ['a range', [['Range', 'bytes=0-0,1-1,2-2,-1']]],
    [
      'odd languages and types',
      [
        ['Accept', '*/*;q=x, ;;,'],
        ['Accept-Language', '*'.repeat(2000)],
        ['Accept-Encoding', 'gzip;q=9'],
      ],
    ],
  )
  .map(
    ([wrong, more]): Change =>
      ({ headers }) => ({ wrong, headers: [...headers, ...more] }),
  )

/** Requests that follow another one on its connection, where a server might confuse the two. */
const NEXT = 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: next\r\nConnection: close\r\n\r\n'

type Framing = readonly [wrong: string, bytes: (request: Parts) => string]

/** Builds a head from lines, including the request line. */
const head = ({ method, target, headers }: Parts, ...more: string[]) =>
  [
    `${method} ${target} HTTP/1.1`,
    'Host: x',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...more,
    '\r\n',
  ].join('\r\n')
const body = ({ body = Buffer.from('{}') }: Parts) => body.toString('latin1')
const framed = (name: string, lines: (length: number) => readonly string[]): Framing => [
  name,
  (request) => `${head(request, ...lines(body(request).length))}${body(request)}${NEXT}`,
]
const chunked = (name: string, content: (text: string) => string, ...lines: string[]): Framing => [
  name,
  (request) => `${head(request, 'Transfer-Encoding: chunked', ...lines)}${content(body(request))}${NEXT}`,
]
const hex = (text: string) => text.length.toString(16)
const line = (name: string, text: string): Framing => [name, () => `${text}${NEXT}`]

const framings: fc.Arbitrary<Framing> = fc.constantFrom<Framing>(
  framed('two lengths that agree', (length) => [`Content-Length: ${length}`, `Content-Length: ${length}`]),
  framed('two lengths', (length) => [`Content-Length: ${length}`, `Content-Length: ${length + 1}`]),
  framed('a list of lengths', (length) => [`Content-Length: ${length}, ${length}`]),
  framed('a length that is too short', (length) => [`Content-Length: ${Math.max(0, length - 1)}`]),
  framed('a length that is too long', (length) => [`Content-Length: ${length + 5000}`]),
  framed('a length below zero', () => ['Content-Length: -1']),
  framed('a length with a sign', (length) => [`Content-Length: +${length}`]),
  framed('a length in hex', (length) => [`Content-Length: 0x${length.toString(16)}`]),
  framed('a length beyond all numbers', () => ['Content-Length: 99999999999999999999']),
  framed('an empty length', () => ['Content-Length:']),
  framed('a length and chunks', (length) => [`Content-Length: ${length}`, 'Transfer-Encoding: chunked']),
  framed('chunks and a length', (length) => ['Transfer-Encoding: chunked', `Content-Length: ${length}`]),
  framed('an encoding after chunked', () => ['Transfer-Encoding: chunked, identity']),
  framed('chunked twice', () => ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']),
  framed('an unknown transfer encoding', () => ['Transfer-Encoding: x']),
  framed('a transfer encoding of identity', () => ['Transfer-Encoding: identity']),
  framed('an obscured transfer encoding', () => ['Transfer-Encoding : chunked']),
  framed('a folded header', () => ['X-Folded: a', ' b']),
  framed('a header without a name', () => [': x']),
  framed('a header without a colon', () => ['nothing']),
  framed('a header with a NUL', () => ['X-Nul: a\0b']),
  framed('a header with a lone CR', () => ['X-Cr: a\rb']),
  framed('a header with a lone LF', (length) => [`X-Lf: a\nContent-Length: ${length}`]),
  framed('a name with a blank', () => ['X Blank: a']),
  framed('a second host', () => ['Host: y']),
  framed('a head of 20,000 octets', () => [`X-Large: ${'a'.repeat(20_000)}`]),
  framed('3,000 headers', () => Array.from({ length: 3000 }, (_, n) => `X${n}: a`)),
  framed('an expectation that nobody meets', () => ['Expect: miracles']),
  framed('a body with no length', () => []),
  chunked('a chunk that is no number', (text) => `xyz\r\n${text}\r\n0\r\n\r\n`),
  chunked('a chunk below zero', (text) => `-1\r\n${text}\r\n0\r\n\r\n`),
  chunked('a chunk that is too short', (text) => `1\r\n${text}\r\n0\r\n\r\n`),
  chunked('a chunk that is too large', () => 'ffffffffffffffff\r\nx\r\n0\r\n\r\n'),
  chunked('no last chunk', (text) => `${hex(text)}\r\n${text}\r\n`),
  chunked(
    'chunks with extensions',
    (text) => `${hex(text)};a="${'b'.repeat(100)}"\r\n${text}\r\n0;c\r\n\r\n`,
  ),
  chunked(
    'a chunk with an endless extension',
    (text) => `${hex(text)};${'b'.repeat(20_000)}\r\n${text}\r\n0\r\n\r\n`,
  ),
  chunked(
    'trailers',
    (text) => `${hex(text)}\r\n${text}\r\n0\r\nX-Trailer: a\r\nAuthorization: Bearer x\r\n\r\n`,
    'Trailer: X-Trailer',
  ),
  chunked(
    'chunks of one octet',
    (text) => `${[...text].map((each) => `1\r\n${each}\r\n`).join('')}0\r\n\r\n`,
  ),
  chunked('line feeds alone', (text) => `${hex(text)}\n${text}\n0\n\n`),
  ['line feeds alone in the head', (request) => `${head(request).replaceAll('\r\n', '\n')}${NEXT}`],
  [
    'two requests at once',
    (request) => `${head(request, `Content-Length: ${body(request).length}`)}${body(request)}${NEXT}`,
  ],
  ['blank lines before', (request) => `\r\n\r\n${head(request, 'Content-Length: 0')}${NEXT}`],
  ['HTTP/1.0', (request) => head(request, 'Content-Length: 0').replace('HTTP/1.1', 'HTTP/1.0')],
  [
    'HTTP/1.0 that stays',
    (request) =>
      `${head(request, 'Connection: keep-alive', 'Content-Length: 0').replace('HTTP/1.1', 'HTTP/1.0')}${NEXT}`,
  ],
  ['HTTP/0.9', ({ target }) => `GET ${target}\r\n\r\n`],
  ['HTTP/1.2', (request) => head(request).replace('HTTP/1.1', 'HTTP/1.2')],
  ['HTTP/9.9', (request) => head(request).replace('HTTP/1.1', 'HTTP/9.9')],
  ['no host', (request) => head(request).replace('Host: x\r\n', '')],
  [
    'a lower-case method',
    (request) => `${head(request).replace(/^\w+/, (method) => method.toLowerCase())}${NEXT}`,
  ],
  ['an unknown method', (request) => `${head(request).replace(/^\w+/, 'FOO')}${NEXT}`],
  ['a blank in the target', (request) => `${head(request).replace(' /', ' / /')}${NEXT}`],
  ['a control character in the target', (request) => `${head(request).replace(' /', ' /\x01')}${NEXT}`],
  [
    'a target of 20,000 octets',
    (request) => `${head(request).replace(' /', ` /${'a'.repeat(20_000)}`)}${NEXT}`,
  ],
  ['a CONNECT', () => `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`],
  ['an OPTIONS for all', () => `OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n${NEXT}`],
  line('HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  line('TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  line('nothing but a line', '\r\n'),
  line('no HTTP', 'hello\r\n\r\n'),
  line('octets', '\x00\xff\xfe\x80'.repeat(100)),
  ['a head that never ends', ({ target }) => `GET ${target} HTTP/1.1\r\nHost: x\r\nX-Half: `],
)
