import test from 'ava'
import { DomainName } from '../../src/domain/domain-name.ts'

const LONGEST_LABEL = 'a'.repeat(63)

for (const name of [
  'bank.example',
  'a.b',
  '1.a',
  'a-b.example',
  'x1.0x1f.example',
  'BANK.Example',
  `${LONGEST_LABEL}.example`,
  `${`${LONGEST_LABEL}.`.repeat(3)}${'a'.repeat(61)}`,
]) {
  test(`${name} is a full name`, (t) => t.true(DomainName.isFull(name)))
}

for (const name of [
  '',
  'localhost',
  '.example',
  'bank.example.',
  'bank..example',
  '-bank.example',
  'bank-.example',
  'bank.-example',
  'bank.example-',
  'bank_one.example',
  'bank .example',
  'bank.example\n',
  '192.0.2.1',
  'bank.1',
  'bücher.example',
  `${LONGEST_LABEL}a.example`,
  `${`${LONGEST_LABEL}.`.repeat(3)}${'a'.repeat(62)}`,
]) {
  test(`${JSON.stringify(name)} is no full name`, (t) => t.false(DomainName.isFull(name)))
}

for (const [written, ascii] of [
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.EXAMPLE', 'xn--bcher-kva.example'],
  ['bücher。example', 'xn--bcher-kva.example'],
  ['bücher．example', 'xn--bcher-kva.example'],
  ['bücher｡example', 'xn--bcher-kva.example'],
  ['bü-cher.example', 'xn--b-cher-3ya.example'],
  ['ｂank.example', 'bank.example'],
  ['ü1.2x', 'xn--1-dha.2x'],
  ['ü.0x1g', 'xn--tda.0x1g'],
  // ASCII stays as it is, whatever it is.
  ['bank.example', 'bank.example'],
  ['-.1', '-.1'],
  ['', ''],
] as const) {
  test(`${JSON.stringify(written)} is ${JSON.stringify(ascii)} in ASCII`, (t) => {
    t.is(DomainName.toAscii(written), ascii)
  })
}

for (const written of [
  '-ü.example',
  'ü-.example',
  'ü.-example',
  'ü.example-',
  'ü-。example',
  'ü．-example',
  'ü-｡example',
  'ü.example/path',
  'ü@example',
  'ü example',
  'ü:80',
  '℀.example',
  // The URL parser takes these for IPv4 addresses, or refuses them.
  '１.２',
  '１２',
  'ü.1',
  'ü.12',
  'ü.0x',
  'ü.0x1f',
  'ü.0X1F',
]) {
  test(`${JSON.stringify(written)} has no form in ASCII`, (t) => t.is(DomainName.toAscii(written), undefined))
}
