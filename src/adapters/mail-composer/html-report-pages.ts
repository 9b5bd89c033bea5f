import { createHash } from 'node:crypto'
import type {
  AskingPage,
  PageReader,
  ReportPage,
  ReportPages,
  WrittenPage,
} from '../../contracts/report-pages.ts'
import { type Brand, readableOn } from '../../domain/brand.ts'
import type { ChallengeStatus } from '../../domain/challenge.ts'
import type { MailLanguage } from '../../domain/mail-language.ts'
import { HtmlTemplate, type TemplateValues } from './html-template.ts'
import { type BrandSettings, PerBrand } from './per-brand.ts'
import { type Reader, Readers } from './reader.ts'
import { visible } from './visible-text.ts'
import { createWordings, type ReportWording, type Wording } from './wording.ts'

export interface ReportPageSettings extends BrandSettings {
  /** The IANA name of the time zone that pages show times in. */
  readonly timeZone: string
  /** How many digits a code has: no number of an operation may pass for one, here as in the mail. */
  readonly codeDigits: number
}

const styleOf = ({ color }: Brand) => `
:root {
  color-scheme: light dark;
  --desk: light-dark(#eef1f4, #11161b); --paper: light-dark(#ffffff, #1a2127); --line: light-dark(#d5dce3, #3d4853);
  --ink: light-dark(#1c232b, #e8edf1); --quiet: light-dark(#56626e, #aab6c1); --note: light-dark(#fff4d6, #3b3013);
  --brand: ${color}; --on-brand: ${readableOn(color)};
}
* { box-sizing: border-box }
body {
  margin: 0; padding: 24px 12px; background: var(--desk); color: var(--ink);
  font: 1rem/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
header, main { max-width: 35rem; margin: 0 auto; padding: 16px 28px; overflow-wrap: anywhere }
header { border-radius: 10px 10px 0 0; background: var(--brand); color: var(--on-brand); font-size: 1.125rem; font-weight: 600; line-height: 2rem }
header img { display: block; height: 32px; width: auto; max-width: 100% }
main { padding-block: 28px; border: 1px solid var(--line); border-top: 0; border-radius: 0 0 10px 10px; background: var(--paper) }
h1 { margin: 0 0 16px; font-size: 1.5rem; line-height: 1.3; font-weight: 600 }
p { margin: 0 0 16px }
dl { margin: 0 0 24px; border-bottom: 1px solid var(--line) }
dl div { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 2fr); gap: 0 16px; padding: 12px 0; border-top: 1px solid var(--line) }
dt { color: var(--quiet); font-size: .875rem; line-height: 1.5rem }
dd { margin: 0; font-weight: 600 }
dt, dd { text-align: start }
label { display: flex; gap: 12px; align-items: start; margin: 0 0 20px; padding: 12px 0; cursor: pointer }
label input { flex: none; width: 1.5rem; height: 1.5rem; margin: 0; accent-color: var(--brand) }
button {
  display: block; width: 100%; min-height: 48px; margin: 0 0 24px; padding: 10px 20px; border: 2px solid var(--brand); border-radius: 8px;
  background: var(--brand); color: var(--on-brand); font: inherit; font-weight: 600; cursor: pointer;
}
button:focus-visible, input:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px }
.again { padding: 12px 16px; border-radius: 8px; background: var(--note) }
.quiet { margin: 0; padding-top: 16px; border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem }
@media (max-width: 30rem) {
  header, main { padding-inline: 20px }
  dl div { grid-template-columns: minmax(0, 1fr) }
}
`

const pageOf = (style: string) => `<!doctype html>
<html lang="{{language}}" dir="{{direction}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{{title}} - {{brandName}}</title>
<style>${style}</style>
</head>
<body>
<header>{{#name}}<span dir="auto">{{brandName}}</span>{{/name}}{{#logo}}<img src="{{logoUrl}}" alt="{{brandName}}">{{/logo}}</header>
<main>
<h1>{{title}}</h1>
{{#again}}<p class="again" role="alert">{{text}}</p>
{{/again}}{{#operation}}<p>{{introduction}}</p>
<dl>
{{#lines}}<div><dt dir="auto">{{label}}</dt><dd dir="auto">{{value}}</dd></div>
{{/lines}}<div><dt>{{when}}</dt><dd>{{askedAt}}</dd></div>
</dl>
{{/operation}}{{#paragraphs}}<p>{{text}}</p>
{{/paragraphs}}{{#form}}<form method="post" autocomplete="off">
<input type="hidden" name="proof" value="{{proof}}">
{{#choice}}<label><input type="checkbox" name="others" value="yes"><span>{{others}}</span></label>
{{/choice}}<button type="submit">{{press}}</button>
</form>
{{/form}}<p class="quiet">{{never}}</p>
</main>
</body>
</html>
`

/** What differs from page to page, in words. */
interface Content {
  readonly title: string
  readonly again: readonly TemplateValues[]
  readonly operation: readonly TemplateValues[]
  readonly paragraphs: readonly string[]
  readonly form: readonly TemplateValues[]
}

/** Writes the pages with the words, the brand and the care of the mails. */
export class HtmlReportPages implements ReportPages {
  readonly languages: readonly MailLanguage[]
  readonly #codeDigits: number
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<MailLanguage, Wording>
  readonly #looks: PerBrand<{ readonly template: HtmlTemplate; readonly policy: string }>

  /** @throws {Error} at start, before any page, if a language is incomplete. */
  constructor({ timeZone, codeDigits, ...brands }: ReportPageSettings) {
    this.#codeDigits = codeDigits
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(createWordings().map((wording) => [wording.language, wording]))
    this.languages = [...this.#wordings.keys()]
    this.#looks = new PerBrand(brands, lookOf)
    for (const locale of this.languages) this.page({ kind: 'unknown' }, { locale })
  }

  page(page: ReportPage, { locale, clientId }: PageReader): WrittenPage {
    const { brand, made } = this.#looks.of(clientId)
    const reader = this.#readers.of(locale, brand.languages)
    const wording = this.#wordings.get(reader.language)!
    const { title, again, operation, paragraphs, form } = this.#content(page, wording, reader)
    const html = made.template.fill({
      language: wording.language,
      direction: wording.direction,
      never: wording.report.never,
      ...{ title, again, operation, form },
      paragraphs: paragraphs.map((text) => ({ text })),
    })
    return { html: html.toString(), policy: made.policy }
  }

  #content(page: ReportPage, wording: Wording, reader: Reader): Content {
    const { report: words } = wording
    const plain = (title: string, ...paragraphs: string[]): Content => ({
      ...{ title, paragraphs },
      ...{ again: [], operation: [], form: [] },
    })
    const others = (ended: boolean) => (ended ? [words.doneOthers] : [])
    switch (page.kind) {
      case 'ask':
        return {
          title: words.title,
          again: page.isAgain ? [{ text: words.again }] : [],
          operation: this.#operation(page, wording, reader),
          paragraphs: [askOf(page.status, words)],
          form: [
            {
              proof: page.proof,
              choice: page.endsOthers ? [{ others: words.others }] : [],
              press: words.link,
            },
          ],
        }
      case 'reported':
        return plain(
          words.doneTitle,
          doneOf(page.statusBefore, words),
          ...others(page.othersEnded),
          words.advice,
        )
      case 'already':
        return plain(words.alreadyTitle, words.already, ...others(page.othersEnded), words.advice)
      case 'unknown':
        return plain(words.unknownTitle, words.unknown)
      case 'busy':
        return plain(words.busyTitle, words.busy)
    }
  }

  #operation({ summary, createdAt }: AskingPage, wording: Wording, reader: Reader): TemplateValues[] {
    if (!summary) return []
    const length = { min: this.#codeDigits, max: this.#codeDigits }
    const lines = summary.map(({ label, value }) => ({
      label: visible(label, length),
      value: visible(value, length),
    }))
    const { introduction } = wording.report
    return [{ introduction, lines, when: wording.when, askedAt: reader.instant(createdAt) }]
  }
}

function lookOf(brand: Brand) {
  const { name, logoUrl } = brand
  const style = styleOf(brand)
  const template = HtmlTemplate.parse(pageOf(style)).fill({
    brandName: name,
    name: logoUrl === undefined ? [{}] : [],
    logo: logoUrl === undefined ? [] : [{ logoUrl }],
  })
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    ...(logoUrl === undefined ? [] : [`img-src ${new URL(logoUrl).origin}`]),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { template, policy }
}

function askOf(status: ChallengeStatus, words: ReportWording): string {
  if (status === 'consumed') return words.askConsumed
  return isLive(status) ? words.askLive : words.askOver
}

function doneOf(statusBefore: ChallengeStatus, words: ReportWording): string {
  if (statusBefore === 'consumed') return words.doneConsumed
  return isLive(statusBefore) ? words.doneLive : words.doneOver
}

function isLive(status: ChallengeStatus): boolean {
  return status === 'pending' || status === 'verified'
}
