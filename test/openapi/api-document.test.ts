import test from 'ava'
import { ApiDocument, type Exchange } from '../support/api-document.ts'

const api = ApiDocument.read()

const ID = '0197a000-0000-7000-8000-0000000000c1'
const OURS = {
  'X-Request-ID': 'r',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'",
  'Referrer-Policy': 'no-referrer',
}
const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' }

/** An exchange as it should be: a code that is right. */
const verified: Exchange = {
  method: 'POST',
  path: `/internal/v1/mfa/totp-email/${ID}:verify`,
  request: {
    headers: new Headers({ Authorization: 'Bearer x', 'Content-Type': 'application/json' }),
    body: '{"totp":"042917"}',
  },
  response: { status: 204, headers: new Headers({ ...OURS, Date: 'today' }), body: '' },
}

const answered = (
  status: number,
  body: object | undefined,
  headers: Record<string, string> = {},
  exchange = verified,
): Exchange => ({
  ...exchange,
  response: {
    status,
    headers: new Headers({ ...OURS, ...(body && JSON_TYPE), ...headers }),
    body: body ? JSON.stringify(body) : '',
  },
})

const requested = (body: string | undefined, headers: Record<string, string> = {}): Exchange => ({
  ...verified,
  request: { headers: new Headers({ Authorization: 'Bearer x', ...JSON_TYPE, ...headers }), body },
})

const error = (code: string, more = {}) => ({
  code: `urn:plmr:mfa-totp:api:${code}`,
  message: 'm',
  requestId: 'r',
  ...more,
})

const without = (name: string): Exchange => {
  const headers = new Headers(verified.response.headers)
  headers.delete(name)
  return { ...verified, response: { ...verified.response, headers } }
}

const read: Exchange = {
  method: 'GET',
  path: '/dev/mailbox?to=alice%40example.com',
  request: { headers: new Headers(), body: undefined },
  response: { status: 200, headers: new Headers({ ...OURS, ...JSON_TYPE, Vary: 'Accept' }), body: '[]' },
}

for (const [what, exchange] of [
  ['an answer without a body', verified],
  ['an error', answered(400, error('INVALID_OTP'))],
  [
    'an error on a field',
    answered(
      400,
      error('BAD_REQUEST', { fieldErrors: [{ ...error('NOT_NULL'), field: 'totp', requestId: undefined }] }),
    ),
  ],
  ['an error with optional headers', answered(400, error('INVALID_OTP'), { RateLimit: '"totp";r=4;t=840' })],
  [
    'a bad request that was refused',
    { ...requested('{}'), response: answered(400, error('BAD_REQUEST')).response },
  ],
  ['a query', read],
  ['a HEAD for a GET', { ...read, method: 'HEAD', response: { ...read.response, body: '' } }],
  ['an unknown path', answered(404, error('RESOURCE_UNKNOWN'), {}, { ...verified, path: '/nothing' })],
  [
    'an unknown method',
    answered(405, error('RESOURCE_UNKNOWN'), { Allow: 'POST' }, { ...verified, method: 'PUT' }),
  ],
] as const) {
  test(`${what} is as documented`, (t) => {
    t.deepEqual(api.faultsOf(exchange), [])
  })
}

test('a query and a header that nobody reads are ignored where they may be', (t) => {
  const odd: Exchange = {
    ...requested('{"totp":"042917"}', { 'plmr-other': 'x' }),
    path: `${verified.path}?a=1`,
  }

  t.is(api.faultsOf(odd).length, 2)
  t.deepEqual(api.faultsOf(odd, { extras: 'ignored' }), [])
})

test('a parameter of the path is as documented once it is decoded', (t) => {
  const erased = (userId: string): Exchange => ({
    ...verified,
    method: 'DELETE',
    path: `/internal/v1/mfa/users/${userId}`,
    request: { headers: new Headers({ Authorization: 'Bearer x' }), body: undefined },
  })

  t.deepEqual(api.faultsOf(erased('%61'.repeat(255))), [])
  t.deepEqual(api.faultsOf(erased('%')), [])
  t.is(api.faultsOf(erased('a%0Ab')).length, 1)
  t.is(api.faultsOf(erased('a'.repeat(256))).length, 1)
})

for (const [what, exchange, fault] of [
  ['an undocumented status', answered(418, undefined), /status 418 of verifyEmail/],
  ['the status of another operation', answered(429, error('BAD_REQUEST')), /status 429/],
  [
    'an undocumented code',
    answered(410, error('INVALID_OTP')),
    /\/code must be equal to one of the allowed values/,
  ],
  [
    'an undocumented property',
    answered(400, error('INVALID_OTP', { attemptsRemaining: 4 })),
    /must NOT have additional.*attemptsRemaining/,
  ],
  [
    'a missing property',
    answered(400, { ...error('INVALID_OTP'), requestId: undefined }),
    /required property 'requestId'/,
  ],
  [
    'fields at fault where there are none',
    answered(410, error('STEP_UP_REQUEST_CONTEXT_NOT_FOUND', { fieldErrors: [] })),
    /fieldErrors/,
  ],
  [
    'a property of another type',
    answered(400, error('INVALID_OTP', { message: 7 })),
    /\/message must be string/,
  ],
  [
    'an undocumented header',
    answered(204, undefined, { 'X-Powered-By': 'x' }),
    /header x-powered-by is not documented/,
  ],
  [
    'a header of another operation',
    answered(204, undefined, { RateLimit: '"totp";r=4;t=8' }),
    /header ratelimit/,
  ],
  [
    'a header of another form',
    answered(400, error('INVALID_OTP'), { RateLimit: '4' }),
    /header ratelimit .*pattern/,
  ],
  ['a missing header', without('X-Request-ID'), /header x-request-id is missing/],
  [
    'a missing header of an error',
    answered(401, error('UNAUTHORIZED')),
    /header www-authenticate is missing/,
  ],
  [
    'an answer that may be kept',
    answered(204, undefined, { 'Cache-Control': 'public' }),
    /header cache-control/,
  ],
  ['an undocumented body', answered(204, {}), /body of the answer is not documented/],
  [
    'an undocumented content type',
    answered(400, error('INVALID_OTP'), { 'Content-Type': 'text/html' }),
    /content type text\/html/,
  ],
  [
    'an undocumented path',
    answered(200, {}, {}, { ...verified, path: '/nothing' }),
    /status 200 without an operation/,
  ],
  [
    'an undocumented method',
    answered(405, error('RESOURCE_UNKNOWN'), { Allow: 'POST, DELETE' }, { ...verified, method: 'PUT' }),
    /Allow names DELETE/,
  ],
  [
    'an undocumented property of a request',
    requested('{"totp":"1","more":1}'),
    /body of the request .*"more"/,
  ],
  ['a request without its body', requested(undefined, { 'Content-Type': '' }), /content type/],
  [
    'an undocumented request header of ours',
    requested('{"totp":"1"}', { 'plmr-trace': 'x' }),
    /request header plmr-trace/,
  ],
  [
    'a request without credentials',
    { ...verified, request: { ...verified.request, headers: new Headers(JSON_TYPE) } },
    /without the documented credentials/,
  ],
  [
    'a path parameter of another form',
    { ...verified, path: verified.path.replace('a000', 'g000') },
    /path parameter challengeId/,
  ],
  ['an undocumented query parameter', { ...read, path: '/dev/mailbox?limit=1' }, /query parameter limit/],
] as const) {
  test(`${what} is a fault`, (t) => {
    const faults = api.faultsOf(exchange)

    t.true(
      faults.some((each) => fault.test(each)),
      JSON.stringify(faults),
    )
  })
}
