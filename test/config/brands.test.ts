import test from 'ava'
import fc from 'fast-check'
import addressparser from 'nodemailer/lib/addressparser'
import { renamed } from '../../src/config/brands.ts'
import { readWarnings } from '../../src/config/config-warnings.ts'
import { ConfigError, readConfig } from '../../src/config/read-config.ts'
import { readSettings } from '../../src/config/settings.ts'
import { newDkimKey, textOf } from '../doubles/dkim-key.ts'

const INSTALLATION = {
  MAIL_FROM: 'Bank A <no-reply@bank.example>',
  MAIL_REPLY_TO: 'help@bank.example',
  BRAND_NAME: 'Bank A',
  BRAND_COLOR: '#0f4c5c',
  BRAND_LOGO_URL: 'https://bank.example/logo.png',
  APP_ORIGIN: 'https://app.bank.example',
}
const B = {
  name: 'Bank B',
  color: '#7a1f2b',
  logoUrl: 'https://b.example/logo.png',
  from: 'Bank B <no-reply@b.example>',
  replyTo: 'help@b.example',
  languages: ['fr', 'de'],
  appOrigin: 'https://app.b.example',
}

const withBrands = (brands: unknown, env = {}) => ({
  ...INSTALLATION,
  BRANDS: typeof brands === 'string' ? brands : JSON.stringify(brands),
  ...env,
})
const brandOf = (members: object, env = {}) =>
  readConfig(withBrands({ 'payments-b': members }, env)).brands.get('payments-b')
const problemsOf = (env: Record<string, string>) => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

test('a client has all of its brand that it names', (t) => {
  t.deepEqual(brandOf(B), {
    name: 'Bank B',
    color: '#7a1f2b',
    logoUrl: 'https://b.example/logo.png',
    languages: ['fr', 'de'],
    appHost: 'app.b.example',
    sender: { from: B.from, replyTo: B.replyTo, bounceDomain: undefined },
  })
})

test('what a client leaves out is that of the installation, but its logo and who gets the answers are nobody else’s', (t) => {
  t.deepEqual(brandOf({ name: 'Bank B' }), {
    name: 'Bank B',
    color: '#0f4c5c',
    logoUrl: undefined,
    languages: undefined,
    appHost: 'app.bank.example',
    sender: {
      from: '"Bank B" <no-reply@bank.example>',
      replyTo: 'help@bank.example',
      bounceDomain: undefined,
    },
  })
  t.is(brandOf({ name: 'Bank B', from: B.from })?.sender.replyTo, undefined)
})

test('a brand without an address of its own sends from that of the installation, under its name', (t) => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => /^[^\p{C}\p{Zl}\p{Zp}]{1,60}$/u.test(text) && text.trim() === text)
  fc.assert(
    fc.property(
      fc.oneof(name, fc.constantFrom('a"b', 'a\\', '\\"', 'A, B <c@d.example>', 'x;y:')),
      (text) => {
        const read = addressparser(renamed('Bank A <no-reply@bank.example>', text))
        t.is(read.length, 1)
        t.like(read[0], { address: 'no-reply@bank.example', name: text })
      },
    ),
  )
})

test('a client without an entry has no brand of its own, whatever its id looks like', (t) => {
  const { brands } = readConfig(withBrands({ 'payments-b': B }))

  for (const id of ['payments-a', 'Payments-b', 'payments-b ', 'constructor', '__proto__', 'toString', ''])
    t.is(brands.get(id), undefined)
  t.is(readConfig(INSTALLATION).brands.size, 0)
})

test('an id may be any that an issuer gives, also one that JavaScript knows', (t) => {
  const ids = [
    '__proto__',
    'constructor',
    'https://b.example/client',
    '0197a000-0000-7000-8000-0000000000c1',
    'a,b',
  ]
  const text = `{${ids.map((id) => `${JSON.stringify(id)}:{"name":"B"}`).join(',')}}`

  t.deepEqual([...readConfig(withBrands(text)).brands.keys()], ids)
})

test('the brands may come from a file', (t) => {
  const { BRANDS, ...rest } = withBrands({ 'payments-b': B })
  const { brands } = readConfig({ ...rest, BRANDS_FILE: '/brands.json' }, () => `${BRANDS}\n`)

  t.is(brands.get('payments-b')?.name, 'Bank B')
})

for (const [what, brands, problem] of [
  ['that is no JSON', 'payments-b=Bank B', /^BRANDS must be a JSON object with one member for each client/],
  ['that is a list', [B], /^BRANDS must be a JSON object/],
  ['that is nothing', 'null', /^BRANDS must be a JSON object/],
  ['with a client twice', '{"b":{"name":"A"},"b":{"name":"B"}}', /^BRANDS has a member twice: b$/],
  ['with a client twice, spelled in two ways', '{"b":{"name":"A"},"\\u0062":{"name":"B"}}', /twice: b$/],
  ['with a member twice', '{"b":{"name":"A","name":"B"}}', /^BRANDS has a member twice: b\.name$/],
  ['of a client without an id', { '': B }, /^BRANDS of "": the id of a client has 1 to 255/],
  ['of a client with an id in another script', { bänk: B }, /^BRANDS of "bänk": the id of a client/],
  ['of a client with a blank around its id', { 'b ': B }, /^BRANDS of "b ": the id of a client/],
  ['that is a name alone', { b: 'Bank B' }, /^BRANDS of "b": must be an object with a name$/],
  ['that is nothing for a client', { b: null }, /^BRANDS of "b": must be an object with a name$/],
  ['without a name', { b: { ...B, name: undefined } }, /^BRANDS of "b": name is not set$/],
  ['with a name of two lines', { b: { ...B, name: 'Bank\nB' } }, /"b": name must be one line/],
  ['with a name that turns the text', { b: { ...B, name: 'Bank \u202eB' } }, /"b": name must be one line/],
  ['with a name that is too long', { b: { ...B, name: 'B'.repeat(61) } }, /"b": name must be one line/],
  ['with a name that is a number', { b: { ...B, name: 5 } }, /"b": name must be a text$/],
  [
    'with a member that nobody knows',
    { b: { ...B, colour: '#000000' } },
    /"b": colour is not a member of a brand: name, color/,
  ],
  ['with a colour by name', { b: { ...B, color: 'red' } }, /"b": color must be a colour, as in #0f4c5c$/],
  ['with a colour of three digits', { b: { ...B, color: '#f00' } }, /"b": color must be a colour/],
  ['with a colour that lets through', { b: { ...B, color: '#7a1f2b80' } }, /"b": color must be a colour/],
  [
    'with a logo in the clear',
    { b: { ...B, logoUrl: 'http://b.example/l.png' } },
    /"b": logoUrl must be a URL that starts with https/,
  ],
  [
    'with a logo in itself',
    { b: { ...B, logoUrl: 'data:image/png;base64,iVBORw0K' } },
    /"b": logoUrl must be a URL that starts with https/,
  ],
  [
    'with a logo behind a password',
    { b: { ...B, logoUrl: 'https://a:b@b.example/l.png' } },
    /"b": logoUrl must not hold a user or password$/,
  ],
  [
    'with two senders',
    { b: { ...B, from: 'a@b.example, c@b.example' } },
    /"b": from must be one line with one mailbox/,
  ],
  [
    'with a sender that adds a header',
    { b: { ...B, from: 'B <a@b.example>\r\nBcc: c@d.example' } },
    /"b": from must be one line/,
  ],
  [
    'with answers to nobody',
    { b: { ...B, replyTo: 'help' } },
    /"b": replyTo must be one line with one mailbox/,
  ],
  ['without a language', { b: { ...B, languages: [] } }, /"b": languages must be languages of the mails/],
  [
    'with a language in the place of a list',
    { b: { ...B, languages: 'de' } },
    /"b": languages must be a list/,
  ],
  [
    'with a language that the mails have not',
    { b: { ...B, languages: ['de', 'xx'] } },
    /"b": languages must be languages of the mails: en, de/,
  ],
  ['with a region', { b: { ...B, languages: ['de-AT'] } }, /"b": languages must be languages of the mails/],
  [
    'with a language twice',
    { b: { ...B, languages: ['de', 'de'] } },
    /"b": languages must name each language once$/,
  ],
  [
    'with an app in the clear',
    { b: { ...B, appOrigin: 'http://app.b.example' } },
    /"b": appOrigin must be an https:\/\/ origin/,
  ],
  [
    'with a domain for notices that is none',
    { b: { ...B, bounceDomain: 'bounces' } },
    /"b": bounceDomain must be a full domain name/,
  ],
  [
    'with a domain for notices that nobody else has',
    { b: { ...B, bounceDomain: 'bounces.b.example' } },
    /^BRANDS of "b": bounceDomain needs BOUNCE_DOMAIN/,
  ],
] as const) {
  test(`a brand ${what} is refused, in one line that repeats no value`, (t) => {
    const problems = problemsOf(withBrands(brands))

    t.is(problems.length, 1, problems.join('\n'))
    t.regex(problems[0]!, problem)
    t.notRegex(problems[0]!, /b\.example\/l|iVBOR|Bcc|a:b@|[\r\n]/)
  })
}

test('every problem of every brand is said at once', (t) => {
  const problems = problemsOf(withBrands({ b: { color: 'red', logo: 'x' }, c: { name: 'C', from: 'c' } }))

  t.deepEqual(
    problems.map((problem) => problem.split(' ').slice(0, 4).join(' ')),
    ['BRANDS of "b": name', 'BRANDS of "b": color', 'BRANDS of "b": logo', 'BRANDS of "c": from'],
  )
})

const SMTP = { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://127.0.0.1:25' }
const [KEY, OTHER] = ['k', 'k'].map((id) => textOf(newDkimKey(id)).slice(2)) as [string, string]

test('a key for DKIM is for the domain of MAIL_FROM, or for the one that it names', (t) => {
  const DKIM_KEYS = `a:${KEY},a@B.example:${OTHER},b@b.example:${KEY}`
  const { mail } = readConfig(withBrands({ b: B }, { ...SMTP, DKIM_KEYS }))

  const [smtp] = mail ?? []
  t.deepEqual(smtp?.transport === 'smtp' && smtp.dkimKeys.map(({ id, domain }) => `${id} ${domain}`), [
    'a bank.example',
    'a b.example',
    'b b.example',
  ])
})

for (const [what, DKIM_KEYS, problem] of [
  [
    'of a domain that sends nothing',
    `a@c.example:${KEY}`,
    /^DKIM_KEYS key a is for c\.example, which sends no mail/,
  ],
  ['of no domain', `a@:${KEY}`, /^DKIM_KEYS key a must be for a full domain name/],
  ['of two domains', `a@b.example@c.example:${KEY}`, /^DKIM_KEYS must be selector:base64 or selector@domain/],
  [
    'of one selector twice for a domain',
    `a@b.example:${KEY},A@b.example:${OTHER}`,
    /two keys of one selector/,
  ],
] as const) {
  test(`a key for DKIM ${what} is refused`, (t) => {
    const problems = problemsOf(withBrands({ b: B }, { ...SMTP, DKIM_KEYS }))

    t.is(problems.length, 1, problems.join('\n'))
    t.regex(problems[0]!, problem)
  })
}

test('a brand whose mails leave unsigned, while others are signed, has a warning', (t) => {
  const warned = (DKIM_KEYS: string | undefined, brands: object = { b: B }) =>
    readWarnings(withBrands(brands, { ...SMTP, ...(DKIM_KEYS && { DKIM_KEYS }) }))
      .filter(({ variable }) => variable === 'DKIM_KEYS')
      .map(({ found }) => found)

  t.deepEqual(warned(`a:${KEY}`), [
    'has no key for b.example, from which mails of a brand come: they leave unsigned',
  ])
  t.deepEqual(warned(`a:${KEY},a@b.example:${OTHER}`), [])
  t.deepEqual(warned(`a:${KEY}`, { b: { name: 'B' } }), [])
  t.deepEqual(warned(undefined), [])
})

test('the notices of a brand go to its own domain, or to that of all', (t) => {
  const brands = { b: { ...B, bounceDomain: 'Bounces.B.example' }, c: { name: 'C' } }
  const config = readConfig(withBrands(brands, { ...SMTP, BOUNCE_DOMAIN: 'bounces.bank.example' }))

  t.is(config.brands.get('b')?.sender.bounceDomain, 'bounces.b.example')
  t.is(config.brands.get('c')?.sender.bounceDomain, 'bounces.bank.example')
  t.deepEqual(config.bounces?.brandDomains, ['bounces.b.example'])
})

test('config check shows whose brand is what', (t) => {
  const settings = readSettings(withBrands({ 'payments-b': B, c: { name: 'C', color: '#f2b705' } }))

  t.is(
    settings.find(({ name }) => name === 'BRANDS')?.value,
    'payments-b: Bank B (white on #7a1f2b), from Bank B <no-reply@b.example>, fr de; c: C (black on #f2b705), from "C" <no-reply@bank.example>, all languages',
  )
})
