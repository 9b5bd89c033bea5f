import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { ForgedToken } from './forged-tokens.ts'
import { ODD_TEXTS } from './odd-texts.ts'
import type { Palette } from './palette.ts'
import type { FuzzRequest } from './request.ts'
import { type Draft, partsOf, rightDrafts } from './right-requests.ts'
import { spoilers } from './spoiled-json.ts'
import type { World } from './world.ts'

/** Changes one thing of a valid request. Returns a request without a kind. */
type Spoil = (draft: Draft) => Omit<FuzzRequest, 'kind'>

/** Requests that are valid except for one thing. */
export function almostRightRequests(
  palette: Palette,
  world: World,
  forged: readonly ForgedToken[],
): fc.Arbitrary<FuzzRequest> {
  const json = spoilers(palette).map(
    (spoil): Spoil =>
      (draft) => {
        if (draft.json === undefined)
          return withBody(draft, 'a body where none is asked for', Buffer.from('{"totp":"1"}'))
        const { wrong, text } = spoil(draft.json)
        // Lone surrogates exist only in UTF-16. In UTF-8 they remain the escapes that JSON makes.
        return withBody(draft, wrong, Buffer.from(text))
      },
  )
  const spoils = fc.oneof(
    { weight: 8, arbitrary: json },
    { weight: 2, arbitrary: spoiledBodies },
    { weight: 2, arbitrary: contentTypes },
    { weight: 2, arbitrary: pathParameters },
    { weight: 2, arbitrary: headers },
    { weight: 1, arbitrary: queries },
    { weight: 2, arbitrary: fc.constantFrom(...forged).map(withToken) },
  )
  return fc
    .tuple(rightDrafts(palette, world), spoils, fc.boolean())
    .map(([draft, spoil, chunked]) => ({ kind: 'almost right', ...spoil(draft), chunked }))
}

function withBody(draft: Draft, wrong: string, body: Uint8Array): Omit<FuzzRequest, 'kind'> {
  return { wrong, ...partsOf(draft), body, chunked: false }
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** Ways to spoil the octets of a body. */
const spoiledBodies: fc.Arbitrary<Spoil> = fc.oneof(
  fc.nat().map(
    (at): Spoil =>
      (draft) => {
        const { body = Buffer.alloc(0) } = partsOf(draft)
        return withBody(draft, 'a body that ends early', body.subarray(0, at % (body.length || 1)))
      },
  ),
  fc.tuple(fc.nat(), fc.integer({ min: 0x80, max: 0xff })).map(
    ([at, octet]): Spoil =>
      (draft) => {
        const body = Buffer.from(partsOf(draft).body ?? 'x')
        body[at % body.length] = octet
        return withBody(draft, 'an octet that is not UTF-8', body)
      },
  ),
  fc
    .constantFrom<readonly [string, (body: Buffer) => Buffer]>(
      ['a byte order mark', (body) => Buffer.concat([BOM, body])],
      ['two byte order marks', (body) => Buffer.concat([BOM, BOM, body])],
      ['UTF-16', (body) => Buffer.from(body.toString(), 'utf16le')],
      ['UTF-16 with a mark', (body) => Buffer.from(`\ufeff${body.toString()}`, 'utf16le')],
      ['something after the end', (body) => Buffer.concat([body, Buffer.from('x')])],
      ['two values', (body) => Buffer.concat([body, body])],
      ['a NUL at the end', (body) => Buffer.concat([body, Buffer.from([0])])],
      ['a form', () => Buffer.from('totp=123456')],
      ['nothing', () => Buffer.alloc(0)],
      ['blanks', () => Buffer.from(' \r\n\t')],
      ['form feeds', (body) => Buffer.concat([Buffer.from('\f'), body])],
      ['a list', (body) => Buffer.from(`[${body}]`)],
      ...['null', 'true', '0', '"a"', '[]', '{}', '[{}]', '{', '}', '[', '"', '\\', 'nul'].map(
        (text) => [text, () => Buffer.from(text)] as [string, () => Buffer],
      ),
    )
    .map(
      ([wrong, change]): Spoil =>
        (draft) =>
          withBody(draft, wrong, change(Buffer.from(partsOf(draft).body ?? '{}'))),
    ),
  // JSON allows any number of blanks, so only the size is wrong.
  fc.constantFrom(...[16, 64].flatMap((kib) => [-1, 0, 1].map((more) => kib * 1024 + more)), 200_000).map(
    (size): Spoil =>
      (draft) => {
        const body = Buffer.from(partsOf(draft).body ?? '{}')
        return withBody(
          draft,
          `${size} octets`,
          Buffer.concat([body, Buffer.alloc(Math.max(0, size - body.length), ' ')]),
        )
      },
  ),
)

const TYPES = [
  ...[
    '',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json;charset="UTF-8"',
    'application/json;',
  ],
  ...[
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=utf-7',
  ],
  ...['application/json; charset=', 'application/json; charset=x-nonsense', 'application/json; version=1'],
  ...[
    'application/json, text/plain',
    'application/json application/json',
    'application/jsonx',
    'text/json',
    'text/plain',
  ],
  ...[
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '*/*',
    '/',
    ';',
  ],
  ...['application/vnd.api+json', 'application/json\xa0', `application/${'j'.repeat(5000)}`],
]

const contentTypes: fc.Arbitrary<Spoil> = fc.oneof(
  fc.constantFrom(...TYPES).map(
    (type): Spoil =>
      (draft) =>
        changedHeader(draft, 'Content-Type', type),
  ),
  fc
    .constantFrom(
      'gzip',
      'GZIP',
      'deflate',
      'br',
      'zstd',
      'identity',
      'gzip, gzip',
      'x',
      '',
      'compress',
      'gzip;q=1',
    )
    .map(
      (encoding): Spoil =>
        (draft) =>
          changedHeader(draft, 'Content-Encoding', encoding),
    ),
  fc.constant<Spoil>((draft) => {
    const request = changedHeader(draft, 'Content-Encoding', 'gzip')
    return { ...request, body: request.body && gzipSync(request.body) }
  }),
)

/** Faults that only a path can have, besides those of a body. */
const ODD_SEGMENTS = [
  ...[
    '%',
    '%0',
    '%00',
    '%zz',
    '%C0%80',
    '%E0%A4%A',
    '%ED%A0%80',
    '%F4%90%80%80',
    '%FF',
    '%2E',
    '%2e%2e',
    '..',
    '.',
    '...',
  ],
  ...[
    '%2F',
    '%2f..%2f',
    '%5C',
    '\\',
    ';a=1',
    ':',
    ':x',
    '::',
    'a:initiate',
    '%3A',
    '@',
    '*',
    '(',
    ')',
    '+',
    '%20',
    '%0D%0A',
  ],
  ...[
    '%252e',
    '%25',
    '%u0041',
    '{x}',
    '[x]',
    '|',
    '^',
    '`',
    '"',
    '<x>',
    '~',
    '!',
    '$',
    '&',
    "'",
    'a'.repeat(300),
    '%61'.repeat(300),
  ],
]

const pathParameters: fc.Arbitrary<Spoil> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...ODD_SEGMENTS),
      fc.constantFrom(...ODD_TEXTS).map((text) => encodeURIComponent(text.toWellFormed())),
    ),
    fc.constantFrom('replaced', 'appended', 'prepended'),
  )
  .map(
    ([odd, how]): Spoil =>
      (draft) => {
        const inPath = Object.fromEntries(
          Object.entries(draft.inPath).map(([name, value]) => [
            name,
            how === 'replaced' ? odd : how === 'appended' ? value + odd : odd + value,
          ]),
        )
        return { wrong: `a path parameter ${how}`, ...partsOf({ ...draft, inPath }), chunked: false }
      },
  )

/** As octets, because a header can hold nothing else. */
const ODD_HEADERS = [
  ...[
    '',
    ' ',
    'a b',
    '\ta',
    'a'.repeat(128),
    'a'.repeat(129),
    'a'.repeat(255),
    'a'.repeat(256),
    'a'.repeat(4000),
  ],
  ...[
    '\x80',
    '\xff',
    '\xc3\xa4',
    '"',
    '\\',
    ',',
    'a,b',
    ';',
    '{}',
    '%00',
    '%0d%0a',
    "' OR 1=1",
    '<script>',
    '\x7f',
    '\x01',
  ],
]
const HEADERS = [
  ...[
    'plmr-idempotency-key',
    'X-Request-ID',
    'Authorization',
    'Content-Type',
    'Accept',
    'If-None-Match',
    'Content-Encoding',
  ],
  ...[
    'Accept-Encoding',
    'Accept-Charset',
    'Range',
    'If-Modified-Since',
    'If-Match',
    'Cookie',
    'X-Forwarded-For',
    'Forwarded',
  ],
  ...[
    'X-Forwarded-Host',
    'X-HTTP-Method-Override',
    'X-Original-URL',
    'traceparent',
    'tracestate',
    'baggage',
    'Origin',
    'Referer',
  ],
  ...[
    'User-Agent',
    'Via',
    'TE',
    'Trailer',
    'Upgrade',
    'DNT',
    'Prefer',
    'Date',
    'From',
    'Max-Forwards',
    'Sec-Fetch-Site',
  ],
]

const headers: fc.Arbitrary<Spoil> = fc.oneof(
  fc.nat().map(
    (at): Spoil =>
      (draft) => {
        const names = Object.keys(draft.headers)
        return withoutHeader(draft, names[at % names.length]!)
      },
  ),
  fc.tuple(fc.constantFrom(...HEADERS), fc.constantFrom(...ODD_HEADERS)).map(
    ([name, value]): Spoil =>
      (draft) =>
        changedHeader(draft, name, value),
  ),
  fc.tuple(fc.nat(), fc.option(fc.constantFrom(...ODD_HEADERS))).map(
    ([at, other]): Spoil =>
      (draft) => {
        const request = partsOf(draft)
        const twice = request.headers[at % request.headers.length]!
        const headers = [...request.headers, [twice[0], other ?? twice[1]] as const]
        return { wrong: `${twice[0]} twice`, ...request, headers, chunked: false }
      },
  ),
)

const queries: fc.Arbitrary<Spoil> = fc
  .constantFrom(
    ...[
      '',
      '?',
      '&',
      '=',
      '&&==',
      'a',
      'a=1&a=2',
      'to=a&to=b',
      'to[]=a',
      'to[a]=b',
      'to=%',
      'to=%00',
      'to=%FF',
      'id=',
      'view=x',
    ],
    ...[
      '__proto__=1',
      '__proto__[a]=1',
      'constructor.prototype.a=1',
      'toString=1',
      'access_token=x',
      ';a',
      'a;b',
      '+',
      '%',
      '#',
    ],
    'a=1&'.repeat(1500),
    `to=${'a'.repeat(8000)}`,
  )
  .map(
    (query): Spoil =>
      (draft) => {
        const { target, ...request } = partsOf(draft)
        return {
          wrong: 'a query',
          ...request,
          target: `${target}${target.includes('?') ? '&' : '?'}${query}`,
          chunked: false,
        }
      },
  )

function withToken([wrong, authorization]: ForgedToken): Spoil {
  return (draft) => ({
    ...changedHeader(draft, 'Authorization', authorization),
    wrong: `the token: ${wrong}`,
    ...((draft.operation.security ?? []).length > 0 && { status: 401 }),
  })
}

function changedHeader(draft: Draft, name: string, value: string): Omit<FuzzRequest, 'kind'> {
  const others = withoutHeader(draft, name)
  return { ...others, wrong: `the header ${name}`, headers: [...others.headers, [name, value]] }
}

function withoutHeader(draft: Draft, name: string): Omit<FuzzRequest, 'kind'> {
  const request = partsOf(draft)
  return {
    ...request,
    wrong: `no ${name}`,
    headers: request.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()),
    chunked: false,
  }
}
