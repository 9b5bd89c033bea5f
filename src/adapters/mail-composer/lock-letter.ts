import type { Brand } from '../../domain/brand.ts'
import { allFolded, htmlLetter, links } from './html-letter.ts'
import { INDENT, lines, link } from './text-body.ts'
import type { Wording } from './wording.ts'

/** The content of the mail about a lock, for text and HTML alike. Only the name in it is foreign text. */
export interface LockLetter {
  readonly wording: Wording
  readonly greeting: string
  /** The end of the lock, in the reader's format. */
  readonly until: string
  /** Undefined: the letter has no link. */
  readonly reportUrl?: string | undefined
}

export function lockText(brandName: string): (letter: LockLetter) => string {
  return ({ wording, greeting, until, reportUrl }) => {
    const { lock, report } = wording
    return [
      brandName,
      lock.title,
      greeting,
      paragraph(lock.explanation),
      lock.untilLabel,
      `${INDENT}${INDENT}${until}`,
      paragraph(lock.ownTitle, lock.own),
      paragraph(lock.warningTitle, lock.warning),
      ...(reportUrl === undefined
        ? [paragraph(lock.footer)]
        : [link(wording, reportUrl), paragraph(report.lockFooter)]),
    ].join('\n\n')
  }
}

function paragraph(...texts: readonly string[]): string {
  return texts.flatMap((text) => lines(text)).join('\n')
}

export function lockHtml(brand: Brand): (letter: LockLetter) => string {
  const letter = (footerOf: (wording: Wording) => string) =>
    htmlLetter('lock-letter', brand, (wording) => {
      const { subject: _, ...shown } = wording.lock
      return { ...shown, reportLink: wording.report.link, footer: footerOf(wording) }
    })
  const withoutLink = letter(({ lock }) => lock.footer)
  const withLink = letter(({ report }) => report.lockFooter)

  return ({ wording, greeting, until, reportUrl }) => {
    const html = reportUrl === undefined ? withoutLink : withLink
    return html(wording, { ...allFolded({ greeting, until }), report: links(reportUrl) })
  }
}
