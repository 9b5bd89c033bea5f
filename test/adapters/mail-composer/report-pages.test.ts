import test from 'ava'
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'
import { HtmlReportPages } from '../../../src/adapters/mail-composer/html-report-pages.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import type { AskingPage, ReportPage } from '../../../src/contracts/report-pages.ts'
import type { ChallengeStatus } from '../../../src/domain/challenge.ts'
import { NOON, TRANSFER } from '../../domain/examples.ts'
import { VISIBLE_TEXTS } from '../../support/visible-texts.ts'

const writersOf = (brand: { name?: string; logoUrl?: string } = {}, timeZone = 'UTC') =>
  new HtmlReportPages({
    brand: { name: 'Example Bank', color: '#0f4c5c', logoUrl: undefined, ...brand },
    ...{ timeZone, codeDigits: 6 },
  })
const pagesOf = (...settings: Parameters<typeof writersOf>) => {
  const writer = writersOf(...settings)
  return {
    page: (page: ReportPage, locale: string) => writer.page(page, { locale }).html,
    policy: writer.page({ kind: 'unknown' }, {}).policy,
  }
}
const pages = pagesOf()

const asking = (changes: Partial<AskingPage> = {}): AskingPage => ({
  ...{
    kind: 'ask',
    status: 'pending',
    summary: TRANSFER.summary,
    createdAt: NOON,
    proof: 'p.q',
    endsOthers: true,
    isAgain: false,
  },
  ...changes,
})
const showing = (value: string, label = 'To') => asking({ summary: [{ label, value }] })

type Element = DefaultTreeAdapterTypes.Element

const elements = (html: string): Element[] => {
  const below = (parent: DefaultTreeAdapterTypes.ParentNode): Element[] =>
    parent.childNodes
      .filter((node) => defaultTreeAdapter.isElementNode(node))
      .flatMap((node) => [node, ...below(node)])
  return below(parse(html))
}
const textOf = (element: Element): string =>
  element.childNodes
    .map((node) => {
      if (defaultTreeAdapter.isTextNode(node)) return node.value
      return defaultTreeAdapter.isElementNode(node) ? textOf(node) : ''
    })
    .join('')
const all = (html: string, tag: string) => elements(html).filter(({ tagName }) => tagName === tag)
const first = (html: string, tag: string) => textOf(all(html, tag)[0]!)
const bodyOf = (html: string) => first(html, 'body').replaceAll(/\s+/g, ' ')

for (const [text, shown] of VISIBLE_TEXTS) {
  test(`a reader of the page sees ${JSON.stringify(text)} as a reader of the mail does, as label and as value`, (t) => {
    const html = pages.page(showing(text, text), 'en')

    t.is(first(html, 'dt'), shown)
    t.is(first(html, 'dd'), shown)
  })
}

for (const hostile of [
  '<img src=x onerror=alert(1)>',
  '</dd></dl></form><form action="https://evil.test"><button>',
  '"><input name="others" checked>',
  '{{proof}}',
  '{{#form}}{{/form}}',
  '&lt;b&gt;&#60;',
]) {
  test(`${hostile} in an operation stays text and changes no element of the page`, (t) => {
    const structure = (html: string) =>
      elements(html).map(({ tagName, attrs }) => [
        tagName,
        attrs.map(({ name, value }) => `${name}=${value}`),
      ])
    const html = pages.page(showing(hostile, hostile), 'en')

    t.deepEqual(structure(html), structure(pages.page(showing('x', 'x'), 'en')))
    t.is(first(html, 'dd').replaceAll(/[[\]]/g, ''), hostile.replaceAll(/[[\]]/g, ''))
  })
}

const KINDS: readonly ReportPage[] = [
  ...(['pending', 'verified', 'consumed', 'expired', 'exhausted', 'cancelled'] as const).flatMap(
    (status): ReportPage[] => [
      asking({ status }),
      { kind: 'reported', statusBefore: status, othersEnded: status === 'pending' },
    ],
  ),
  asking({ isAgain: true }),
  asking({ summary: undefined }),
  asking({ endsOthers: false }),
  { kind: 'already', othersEnded: false },
  { kind: 'already', othersEnded: true },
  { kind: 'unknown' },
  { kind: 'busy' },
]

for (const { language, direction, report } of createWordings()) {
  test(`in ${language}, every page is whole, in ASCII, with one heading, and says that it asks for no code`, (t) => {
    for (const page of KINDS) {
      const html = pages.page(page, language)
      const [root] = all(html, 'html')

      t.notRegex(html, /[^\n\x20-\x7e]|\{\{|undefined/)
      t.deepEqual(
        root!.attrs.map(({ value }) => value),
        [language, direction],
      )
      t.is(all(html, 'h1').length, 1)
      t.is(first(html, 'title'), `${first(html, 'h1')} - Example Bank`)
      t.true(bodyOf(html).includes(report.never))
      t.is(all(html, 'form').length, page.kind === 'ask' ? 1 : 0)
    }
  })

  test(`in ${language}, pages that mean different things say different things`, (t) => {
    const said = (page: ReportPage) => bodyOf(pages.page(page, language))
    const asked = (status: ChallengeStatus) => said(asking({ status }))
    const reported = (statusBefore: ChallengeStatus) =>
      said({ kind: 'reported', statusBefore, othersEnded: false })

    for (const saidOf of [asked, reported]) {
      t.is(saidOf('pending'), saidOf('verified'))
      t.is(saidOf('expired'), saidOf('exhausted'))
      t.is(saidOf('expired'), saidOf('cancelled'))
      t.is(new Set([saidOf('pending'), saidOf('consumed'), saidOf('expired')]).size, 3)
    }
    const others = KINDS.map(said)
    t.is(new Set(others).size, 14)
  })
}

test('the page loads nothing but the logo of the brand, and its policy says so', (t) => {
  const html = pages.page(asking(), 'en')
  const withLogo = pagesOf({ logoUrl: 'https://cdn.bank.example/logo.png?v=1' })

  t.deepEqual(
    elements(html).filter(({ tagName }) => /^(a|script|img|link|iframe|object|svg|base)$/.test(tagName)),
    [],
  )
  t.false(pages.policy.includes('img-src'))
  const [logo] = all(withLogo.page(asking(), 'en'), 'img')
  t.deepEqual(
    logo!.attrs.map(({ value }) => value),
    ['https://cdn.bank.example/logo.png?v=1', 'Example Bank'],
  )
  t.true(withLogo.policy.includes('; img-src https://cdn.bank.example; '))
})

test('the form goes back to the address of the page, wherever a proxy shows it', (t) => {
  const [form] = all(pages.page(asking(), 'en'), 'form')

  t.deepEqual(
    form!.attrs.map(({ name, value }) => `${name}=${value}`),
    ['method=post', 'autocomplete=off'],
  )
})

test('the choice to end everything else is not made for the reader', (t) => {
  const [, choice] = all(pages.page(asking(), 'en'), 'input')

  t.deepEqual(
    choice!.attrs.map(({ name }) => name),
    ['type', 'name', 'value'],
  )
})

test('a mail that ends no others offers no such choice', (t) => {
  const html = pages.page(asking({ endsOthers: false }), 'en')

  t.deepEqual(
    all(html, 'input').map(({ attrs }) => attrs.find(({ name }) => name === 'name')?.value),
    ['proof'],
  )
  t.is(all(html, 'button').length, 1)
  t.is(all(html, 'label').length, 0)
})

test('the time of the operation is in the zone of the mails', (t) => {
  t.true(bodyOf(pagesOf({}, 'Europe/Berlin').page(asking(), 'de')).includes('13:00:00 MEZ'))
})

test('the page has the brand and the languages of the client whose mail it was', (t) => {
  const brands = new Map([
    [
      'b',
      { name: 'Bank B', color: '#ffd400', logoUrl: 'https://b.example/logo.png', languages: ['fr'] as const },
    ],
  ])
  const brand = { name: 'Example Bank', color: '#0f4c5c', logoUrl: undefined }
  const writer = new HtmlReportPages({ brand, brands, timeZone: 'UTC', codeDigits: 6 })

  const ofB = writer.page(asking(), { locale: 'de', clientId: 'b' })
  const ofAnother = writer.page(asking(), { locale: 'de', clientId: 'a' })

  t.regex(ofB.html, /<html lang="fr"[\s\S]*--brand: #ffd400; --on-brand: #000;[\s\S]*alt="Bank B"/)
  t.regex(ofB.policy, /; img-src https:\/\/b\.example; /)
  t.regex(ofAnother.html, /<html lang="de"[\s\S]*--brand: #0f4c5c; --on-brand: #fff;[\s\S]*Example Bank/)
})
