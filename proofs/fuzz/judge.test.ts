import test from 'ava'
import { ApiDocument } from '../../test/support/api-document.ts'
import { faultsOf } from './judge.ts'
import type { FuzzRequest } from './request.ts'
import type { WireAnswer } from './wire.ts'

const api = ApiDocument.read()
const ID = '0197a000-0000-7000-8000-0000000000c1'
const SECRETS = { addresses: ['zq.alice'], codes: ['042917'], keys: ['k'.repeat(40)] }

const verify: FuzzRequest = {
  ...{ kind: 'right', wrong: 'nothing', method: 'POST', chunked: false },
  target: `/internal/v1/mfa/totp-email/${ID}:verify`,
  headers: [
    ['Content-Type', 'application/json'],
    ['Authorization', 'Bearer x'],
    ['X-Request-ID', 'r1'],
  ],
  body: Buffer.from('{"totp":"042917"}'),
}
const OURS = {
  ...{ 'X-Request-ID': 'r1', 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' },
  ...{ 'Content-Security-Policy': "default-src 'none'", 'Referrer-Policy': 'no-referrer' },
}
const done: WireAnswer = { status: 204, headers: new Headers(OURS), body: '' }

const refused = (
  status: number,
  code: string,
  more: Record<string, string> = {},
  requestId = 'r1',
): WireAnswer => ({
  status,
  headers: new Headers({ ...OURS, 'Content-Type': 'application/json', ...more }),
  body: JSON.stringify({ code: `urn:plmr:mfa-totp:api:${code}`, message: 'm', requestId }),
})
const unauthorized = refused(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer' })

for (const [what, request, answer] of [
  ['a success', verify, done],
  ['a wrong code', verify, refused(400, 'INVALID_OTP')],
  ['a forged token that is refused', { ...verify, status: 401 }, unauthorized],
  [
    'an almost right request that is refused',
    { ...verify, kind: 'almost right' },
    refused(400, 'BAD_REQUEST'),
  ],
  [
    'a head that is too large',
    { ...verify, kind: 'hostile' },
    refused(431, 'BAD_REQUEST', { 'X-Request-ID': ID.replace('-7', '-4') }, ID.replace('-7', '-4')),
  ],
  [
    'an absolute URL',
    { ...verify, kind: 'hostile', target: `http://x${verify.target}` },
    refused(410, 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND'),
  ],
  [
    'a time-out of an invalid request after an ignored upgrade',
    { ...verify, kind: 'almost right' },
    { ...refused(408, 'BAD_REQUEST'), afterUpgrade: true },
  ],
  ['a query that nobody reads', { ...verify, kind: 'almost right', target: `${verify.target}?a=1` }, done],
] as const satisfies readonly (readonly [string, FuzzRequest, WireAnswer])[]) {
  test(`${what} is an answer that may be given`, (t) => {
    t.deepEqual(faultsOf(api, request, answer, SECRETS), [])
  })
}

const withHeader = (name: string, value: string): WireAnswer => ({
  ...done,
  headers: new Headers({ ...OURS, [name]: value }),
})

for (const [what, request, answer, fault] of [
  ['a 500', verify, refused(500, 'INTERNAL_SERVER_ERROR'), /a fault of ours/],
  ['an undocumented status', verify, refused(429, 'BAD_REQUEST'), /status 429 .* is not documented/],
  ['an undocumented header', verify, withHeader('X-Powered-By', 'x'), /header x-powered-by/],
  [
    'a time-out of a request that is all there',
    { ...verify, kind: 'almost right' },
    refused(408, 'BAD_REQUEST'),
    /was waited for/,
  ],
  [
    'a time-out of a valid request, even after an ignored upgrade,',
    verify,
    { ...refused(408, 'BAD_REQUEST'), afterUpgrade: true },
    /was waited for/,
  ],
  ['a body out of contract', verify, { ...done, body: '{}' }, /body of the answer is not documented/],
  [
    'a body that is no JSON',
    verify,
    { ...refused(400, 'INVALID_OTP'), body: '{' },
    /cannot be compared with the document/,
  ],
  ['a right request that is refused', verify, refused(400, 'BAD_REQUEST'), /the document allows was refused/],
  [
    'a right request that is too large',
    verify,
    refused(413, 'BAD_REQUEST'),
    /the document allows was refused/,
  ],
  ['a forged token that opens', { ...verify, status: 401 }, done, /401 was expected/],
  [
    'a body that is accepted though the document does not allow it',
    { ...verify, kind: 'almost right', body: Buffer.from('{"totp":7}') },
    done,
    /body of the request \/totp must be string/,
  ],
  ['the answer to another request', verify, withHeader('X-Request-ID', 'r2'), /the answer is to r2/],
  [
    'the answer to another request with an id of ours',
    verify,
    withHeader('X-Request-ID', ID.replace('-7', '-4')),
    /the answer is to/,
  ],
  [
    'a body that names another request',
    verify,
    refused(410, 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND', {}, 'r2'),
    /names another/,
  ],
  ['an address', verify, withHeader('Content-Security-Policy', 'zq.alice'), /holds an address/],
  ['a code', verify, withHeader('Content-Security-Policy', 'x="042917"'), /holds a code/],
  ['a token', verify, withHeader('Content-Security-Policy', `x${'k'.repeat(40)}`), /holds a key/],
  ['a stack', verify, withHeader('Content-Security-Policy', 'at Object. (x.ts:1)'), /reveals internals/],
] as const satisfies readonly (readonly [string, FuzzRequest, WireAnswer, RegExp])[]) {
  test(`${what} is not an answer that may be given`, (t) => {
    t.regex(faultsOf(api, request, answer, SECRETS).join('\n'), fault)
  })
}
