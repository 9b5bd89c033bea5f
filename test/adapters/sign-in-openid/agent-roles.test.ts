import test from 'ava'
import { rolesIn } from '../../../src/adapters/sign-in-openid/agent-roles.ts'

for (const [what, claims, claim, roles] of [
  ['a list', { roles: ['a', 'b'] }, 'roles', ['a', 'b']],
  ['one text with blanks', { scope: 'a b' }, 'scope', ['a', 'b']],
  ['a claim within a claim', { realm_access: { roles: ['a'] } }, 'realm_access.roles', ['a']],
  [
    'a claim whose name has dots',
    { 'https://bank.example/roles': ['a'] },
    'https://bank.example/roles',
    ['a'],
  ],
  ['texts alone from a list', { roles: ['a', 1, null, { a: 1 }, ['b']] }, 'roles', ['a']],
  ['nothing from a claim that is missing', {}, 'roles', []],
  ['nothing from a number', { roles: 7 }, 'roles', []],
  ['nothing from null', { roles: null }, 'roles', []],
  ['nothing from what every object has', {}, 'constructor.name', []],
  ['nothing below a text', { roles: 'a' }, 'roles.length', []],
] as const) {
  test(`roles are read from ${what}`, (t) => {
    t.deepEqual([...rolesIn(claims as Record<string, unknown>, claim)], [...roles])
  })
}
