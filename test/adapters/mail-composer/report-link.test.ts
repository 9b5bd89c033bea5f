import { randomUUID } from 'node:crypto'
import test from 'ava'
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'
import { HtmlLockMailComposer } from '../../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import { mailContent } from '../../../src/adapters/mail-smtp/mail-content.ts'
import { smtpSender } from '../../../src/adapters/mail-smtp/smtp-sender.ts'
import { HmacReportLinks } from '../../../src/adapters/report-links-hmac/hmac-report-links.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { hasRspamd, hasSpamAssassin, spamAssassinScores, startRspamd } from '../../support/spam-filters.ts'

/* The link to report, in the mails that have one. */

const WORDINGS = createWordings()
// Filters look for links in plain text by the top-level domains that exist.
const links = new HmacReportLinks([{ bytes: Buffer.alloc(32, 7) }], 'https://www.example.com/not-me')
const SETTINGS = {
  brand: { name: 'Example Bank', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
  appHost: 'app.example.com',
}
const otp = new HtmlOtpMailComposer(SETTINGS)
const lock = new HtmlLockMailComposer(SETTINGS)
const ID = '0b5c9a3e-1f2d-4c3b-8a7e-6d5f4e3c2b1a'

type Link = string | undefined
const MAILS = {
  'mail with a code': {
    url: links.urlFor({ kind: 'otp', issuanceId: ID }),
    write: (locale: string, reportUrl: Link) =>
      otp.compose({
        ...{
          code: '042917',
          reference: 'QK',
          summary: [{ label: 'IBAN', value: 'DE89 3704 0044 0532 0130 00' }],
        },
        ...{ issuedAt: NOON, expiresAt: afterNoon(300), displayName: 'Alice Smith', locale, reportUrl },
      }),
    footers: (language: string) => {
      const { footer, report } = WORDINGS.find((each) => each.language === language)!
      return [footer, report.footer] as const
    },
  },
  'lock notice': {
    url: links.urlFor({ kind: 'lock-notice', challengeId: ID }),
    write: (locale: string, reportUrl: Link) =>
      lock.compose({ lockedUntil: afterNoon(900), locale, displayName: 'Alice Smith', reportUrl }),
    footers: (language: string) => {
      const wording = WORDINGS.find((each) => each.language === language)!
      return [wording.lock.footer, wording.report.lockFooter] as const
    },
  },
} as const

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
const words = (text: string) => text.split(/[\s\u2068\u2069]+/).filter(Boolean)
const oneLine = (text: string) => words(text).join(' ')
const addressesIn = (html: string) =>
  elements(html).flatMap(({ attrs }) =>
    attrs.filter(({ name }) => /^(href|src|srcset|action|background)$/.test(name)).map(({ value }) => value),
  )

for (const [mail, { url, write, footers }] of Object.entries(MAILS)) {
  for (const { language, report } of WORDINGS) {
    test(`in ${language}, the ${mail} has one link, in words that say what it is for, to where the text says`, (t) => {
      const { html, text } = write(language, url)
      const anchors = elements(html).filter(({ tagName }) => tagName === 'a')

      t.is(anchors.length, 1)
      t.is(oneLine(textOf(anchors[0]!)), report.link)
      t.deepEqual(addressesIn(html), [url])
      t.true(text.split('\n').includes(url))
      t.is(text.split('\n')[text.split('\n').indexOf(url) - 1], report.link)
      t.is(text.match(/https?:/g)?.length, 1)
    })

    test(`in ${language}, the HTML of a ${mail} with a link says the same as the text`, (t) => {
      const { html, text } = write(language, url)
      const body = elements(html).find(({ tagName }) => tagName === 'body')!
      const sorted = (said: string) => words(said).toSorted()

      const ofText = text
        .replace(url, '')
        .replace('@app.example.com #042917', '')
        .replaceAll(/^ {2}\|/gm, '')
      t.deepEqual(sorted(textOf(body).replaceAll(/[()]/g, ' ')), sorted(ofText.replaceAll(/[()]/g, ' ')))
    })

    test(`in ${language}, a ${mail} says that it has no link exactly if it has none`, (t) => {
      const [none, one] = footers(language)
      t.not(none, one)

      for (const [reportUrl, said, unsaid] of [
        [undefined, none, one],
        [url, one, none],
      ] as const) {
        const { html, text } = write(language, reportUrl)
        const body = elements(html).find(({ tagName }) => tagName === 'body')!
        for (const shown of [oneLine(text), oneLine(textOf(body))]) {
          t.true(shown.includes(oneLine(said)))
          t.false(shown.includes(oneLine(unsaid)))
        }
      }
    })

    test(`in ${language}, the link changes neither the subject of a ${mail}, nor what has to be ASCII in short lines`, (t) => {
      const { html, subject, text } = write(language, url)

      t.is(subject, write(language, undefined).subject)
      t.notRegex(html, /[^\n\x20-\x7e]/)
      const long = html.split('\n').filter((line) => line.length > 76 && !/(?:&#\d+;){9}/.test(line))
      t.deepEqual(
        long.filter((line) => !line.includes(url)),
        [],
      )
      t.deepEqual(
        text.split('\n').filter((line) => line.length > 64 && line !== url),
        [],
      )
    })
  }

  test(`without a link, a ${mail} links to nothing`, (t) => {
    const { html, text } = write('en', undefined)

    t.deepEqual(addressesIn(html), [])
    t.notRegex(text, /https?:/)
  })
}

test('no value of an operation and no name changes where the link leads, or adds another', (t) => {
  const hostile = [
    '</a><a href="https://evil.test">',
    '{{reportUrl}}',
    'https://evil.test/x',
    '"><base href=//x>',
  ]

  for (const value of hostile) {
    const { html, text } = otp.compose({
      ...{ code: '042917', reference: 'QK', issuedAt: NOON, expiresAt: afterNoon(300), displayName: value },
      ...{ summary: [{ label: value, value }], reportUrl: MAILS['mail with a code'].url },
    })

    t.deepEqual(addressesIn(html), [MAILS['mail with a code'].url])
    t.is(text.match(/https?:\/\//g)?.length, 1, value)
  }
})

/** Points from which a rule of a filter counts as a fault of the mail. */
const MOST = 0.1
/** What a filter of rspamd has for each mail with base64, which those in other scripts need. */
const OF_BASE64 = 0.1

const LETTERS = Object.entries(MAILS).flatMap(([mail, { url, write }]) =>
  WORDINGS.map(({ language }) => ({ name: `${language}, ${mail}`, letter: write(language, url) })),
)

function mailOf({ letter }: (typeof LETTERS)[number]): Buffer {
  const sender = smtpSender('"Example Bank" <no-reply@example.com>')
  const id = randomUUID()
  return mailContent(sender)({ id, to: ALICE, ...letter }, `<${id}@example.com>`, new Date())
}

;(hasSpamAssassin ? test : test.skip)(
  `SpamAssassin has nothing against a mail for its link${hasSpamAssassin ? '' : ' (it is not installed)'}`,
  async (t) => {
    t.timeout(240_000)

    for (const [index, { total, rules }] of (await spamAssassinScores(LETTERS.map(mailOf))).entries()) {
      t.true(total <= MOST, `${LETTERS[index]!.name}: ${total}, ${rules}`)
    }
  },
)

;(hasRspamd ? test : test.skip)(
  `rspamd has nothing against a mail for its link${hasRspamd ? '' : ' (it is not installed)'}`,
  async (t) => {
    t.timeout(240_000)
    const rspamd = await startRspamd()
    t.teardown(rspamd.stop)

    for (const letter of LETTERS) {
      const { total, rules } = await rspamd.score(mailOf(letter))
      t.true(total <= MOST + OF_BASE64, `${letter.name}: ${total}, ${rules}`)
    }
  },
)
