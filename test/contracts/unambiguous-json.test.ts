import test from 'ava'
import fc from 'fast-check'
import { parseUnambiguous, RepeatedMember } from '../../src/contracts/unambiguous-json.ts'

for (const [text, path] of [
  ['{"totp":"000000","totp":"111111"}', ['totp']],
  ['{"totp":"000000","\\u0074otp":"111111"}', ['totp']],
  ['{"\\u0074\\u006ftp":null,"totp":null}', ['totp']],
  ['{"a":{"b":1},"a":{"c":1}}', ['a']],
  ['{"a":1,"b":{"c":[0,{"d":1,"d":1}]}}', ['b', 'c', 1, 'd']],
  ['[[],{},{"x":[],"y":{},"x":[]}]', [2, 'x']],
  ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ['{"__proto__":1,"\\u005f_proto__":2}', ['__proto__']],
  ['{"":1,"":2}', ['']],
  ['{"\\ud800":1,"\\uD800":2}', ['\ud800']],
  ['{"\\ud83d\\ude00":1,"😀":2}', ['😀']],
  ['{"\\"":1,"\\u0022":2}', ['"']],
  ['{"\\/":1,"/":2}', ['/']],
  [' {\n"a" :\t1 , "a"\r\n: 2 } ', ['a']],
] as const) {
  test(`${text} names a member twice`, (t) => {
    const error = t.throws(() => parseUnambiguous(text), { instanceOf: RepeatedMember })

    t.deepEqual(error.path, [...path])
  })
}

for (const text of [
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":2}]',
  '{"a":[{"b":1},{"b":1}],"b":1}',
  '{"a":"\\"b\\":1,\\"b\\":1","b":"{\\"c\\":1,\\"c\\":1}"}',
  '{"a":"\\\\","b":"\\\\\\""}',
  '{"a":1,"A":2,"\u00e9":3,"e\u0301":4}',
  '"a"',
  '7',
  '[]',
]) {
  test(`${text} names no member twice`, (t) => {
    t.deepEqual(parseUnambiguous(text), JSON.parse(text))
  })
}

for (const text of ['', '{', '{"a":1', '{"a":1}}', '{"a":"', '\ufeff{}', '{"a" 1}', '{a:1}']) {
  test(`${JSON.stringify(text)} is not JSON`, (t) => {
    t.throws(() => parseUnambiguous(text), { instanceOf: SyntaxError })
  })
}

test('a deep text is read without a stack of calls', (t) => {
  const depth = 30_000
  const text = `${'{"a":['.repeat(depth)}{"b":1,"b":2}${']}'.repeat(depth)}`

  const error = t.throws(() => parseUnambiguous(text), { instanceOf: RepeatedMember })

  t.is(error.path.length, 2 * depth + 1)
})

test('every value that JSON can write is read as it is', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent)

      t.deepEqual(parseUnambiguous(text), JSON.parse(text))
    }),
  )
})

test('a member that is repeated anywhere is found, however it is spelled', (t) => {
  const escaped = (name: string) =>
    `"${Array.from({ length: name.length }, (_, at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 1 }), { minKeys: 1 }),
      fc.nat(),
      fc.boolean(),
      (object, at, spelledOut) => {
        const names = Object.keys(object)
        const name = names[at % names.length]!
        const text = JSON.stringify(object)
        const again = spelledOut ? escaped(name) : JSON.stringify(name)

        const error = t.throws(() => parseUnambiguous(`[0,${text.slice(0, -1)},${again}:0}]`), {
          instanceOf: RepeatedMember,
        })

        t.deepEqual(error.path, [1, name])
      },
    ),
  )
})
