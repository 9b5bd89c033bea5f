import test, { type ExecutionContext } from 'ava'
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'
import type { Browser } from 'playwright-core'
import { HtmlLockMailComposer } from '../../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import type { Brand } from '../../../src/domain/brand.ts'
import { washed, whyNoRoundcube } from '../../../tools/mail/roundcube/roundcube.ts'
import { launchChromium } from '../../../tools/pictures/chromium.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'
import { inBrowser, whyNoPages } from '../../support/in-browser.ts'

/** The longest name that the configuration takes, in characters that HTML writes with nine. */
const LONGEST = '🏦'.repeat(60)
const NAMES = [
  'Countersign',
  'Bank with a rather long name, of several words, and of & sons',
  'БАНК',
  LONGEST,
]
const LOGO = 'https://bank.example/logo.svg'

/** The mails of an installation or, with an id, those of a client with this brand. */
function mailsOf(brand: Partial<Brand>, clientId?: string): Record<string, string> {
  const settings = {
    brand: {
      name: 'Countersign',
      color: '#0f4c5c',
      logoUrl: undefined,
      ...(clientId === undefined && brand),
    },
    brands: new Map(
      clientId === undefined
        ? []
        : [[clientId, { name: 'Bank B', color: '#f2b705', logoUrl: undefined, ...brand }]],
    ),
    timeZone: 'UTC',
  }
  const otp = new HtmlOtpMailComposer({ ...settings, appHost: undefined })
  const lock = new HtmlLockMailComposer(settings)
  const notice = {
    ...{ clientId, code: '042917', reference: 'QK', summary: TRANSFER.summary },
    ...{ issuedAt: NOON, expiresAt: afterNoon(300), displayName: 'Alice Smith' },
  }
  return Object.fromEntries(
    createWordings().flatMap(({ language: locale }) => [
      [`${locale}, code`, otp.compose({ ...notice, locale }).html],
      [`${locale}, lock`, lock.compose({ clientId, lockedUntil: NOON, locale, displayName: 'Alice' }).html],
    ]),
  )
}

function element(html: string, name: string): DefaultTreeAdapterTypes.Element {
  const below = (parent: DefaultTreeAdapterTypes.ParentNode): DefaultTreeAdapterTypes.Element[] =>
    parent.childNodes
      .filter((node) => defaultTreeAdapter.isElementNode(node))
      .flatMap((node) => [node, ...below(node)])
  return below(parse(html)).find(({ tagName }) => tagName === name)!
}

for (const name of NAMES) {
  test(`every mail of ${name.slice(0, 30)} has that name in one line as its title, and no class on its body`, (t) => {
    for (const [mail, html] of [
      ...Object.entries(mailsOf({ name })),
      ...Object.entries(mailsOf({ name }, 'b')),
    ]) {
      const [title] = element(html, 'title').childNodes

      t.regex(html, /<title>[^\n<]+<\/title>/, mail)
      t.true(title && defaultTreeAdapter.isTextNode(title) && title.value === name, mail)
      t.false(
        element(html, 'body').attrs.some((attribute) => attribute.name === 'class'),
        mail,
      )
    }
  })
}

let browser: Browser

test.before(async () => {
  if (!whyNoPages && !whyNoRoundcube) browser = await launchChromium()
})

test.after.always(() => browser?.close())

function inRoundcube(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (whyNoRoundcube) test.serial.skip(`${title} (${whyNoRoundcube})`, run)
  else inBrowser(title, run)
}

/** Rules for other mail programs, those of pictures and links in a mail without them, and in the mail about a lock those of table and code. */
const IDLE = {
  code: /outlook|moz-text-html|img$|link$/,
  lock: /outlook|moz-text-html|img$|link$|label|value|th$|code/,
}

interface Seen {
  readonly selectors: readonly string[]
  /** The selectors that match nothing. */
  readonly idle: readonly string[]
  /** The text outside the mail. */
  readonly above: string
}

/** Runs in the page. */
const LOOK = `
const rulesOf = (rules) =>
  [...rules].flatMap((rule) =>
    rule instanceof CSSMediaRule ? rulesOf(rule.cssRules) : rule instanceof CSSStyleRule ? [rule] : [])
const selectors = [...document.styleSheets]
  .flatMap((sheet) => rulesOf(sheet.cssRules))
  .flatMap(({ selectorText }) => selectorText.split(/,\\s*/))
const body = document.querySelector('.rcmBody')
const above = [...body.parentElement.childNodes]
  .filter((node) => node !== body && node.nodeName !== 'STYLE' && node.nodeType !== Node.COMMENT_NODE)
  .map((node) => node.textContent.trim())
  .join('');
({ selectors, idle: selectors.filter((selector) => !document.querySelector(selector)), above })`

inRoundcube('in Roundcube, each rule of each mail applies, and nothing stands above the mail', async (t) => {
  const ofClient = Object.entries(mailsOf({ name: 'Bank B' }, 'b')).map(([mail, html]) => [
    `b, ${mail}`,
    html,
  ])
  const mails: Record<string, string> = { ...mailsOf({ name: LONGEST }), ...Object.fromEntries(ofClient) }
  const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
  t.teardown(() => page.close())

  for (const [index, html] of washed(Object.values(mails)).entries()) {
    const mail = Object.keys(mails)[index]!
    const idle = mail.endsWith('lock') ? IDLE.lock : IDLE.code
    await page.setContent(`<!doctype html><body>${html}`)

    const seen = await page.evaluate<Seen>(LOOK)

    t.true(seen.selectors.length > 20, mail)
    t.deepEqual(
      seen.idle.filter((selector) => !idle.test(selector)),
      [],
      mail,
    )
    t.is(seen.above, '', mail)
  }
})

inRoundcube('in Roundcube, a mail is laid out for a narrow window and in dark colours', async (t) => {
  const [code] = washed([mailsOf({ logoUrl: LOGO })['en, code']!])
  const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
  t.teardown(() => page.close())
  await page.route('**/*', (route) => route.abort())
  const style = (selector: string, property: string) =>
    page
      .locator(selector)
      .first()
      .evaluate(
        (each, name) => each.ownerDocument.defaultView!.getComputedStyle(each).getPropertyValue(name),
        property,
      )

  await page.setContent(`<!doctype html><body>${code}`)
  t.is(await style('.v1page', 'padding'), '24px 12px')
  t.is(await style('.v1label', 'display'), 'table-cell')

  await page.setViewportSize({ width: 375, height: 700 })
  t.is(await style('.v1label', 'display'), 'block')
  t.is(await style('.v1code', 'font-size'), '34px')

  await page.emulateMedia({ colorScheme: 'dark' })
  t.is(await style('.v1page', 'background-color'), 'rgb(17, 22, 27)')
  t.is(await style('.v1code', 'color'), 'rgb(232, 237, 241)')
})
