import type { Brand } from '../../domain/brand.ts'
import { allFolded, htmlLetter } from './html-letter.ts'
import { INDENT, lines } from './text-body.ts'
import type { Wording } from './wording.ts'

/** The content of the mail about a lock, for text and HTML alike. Only the name in it is foreign text. */
export interface LockLetter {
  readonly wording: Wording
  readonly greeting: string
  /** The end of the lock, in the reader's format. */
  readonly until: string
}

export function lockText(brandName: string): (letter: LockLetter) => string {
  return ({ wording: { lock }, greeting, until }) =>
    [
      brandName,
      lock.title,
      greeting,
      paragraph(lock.explanation),
      lock.untilLabel,
      `${INDENT}${INDENT}${until}`,
      paragraph(lock.ownTitle, lock.own),
      paragraph(lock.warningTitle, lock.warning),
      paragraph(lock.footer),
    ].join('\n\n')
}

function paragraph(...texts: readonly string[]): string {
  return texts.flatMap((text) => lines(text)).join('\n')
}

export function lockHtml(brand: Brand): (letter: LockLetter) => string {
  const html = htmlLetter('lock-letter', brand, ({ lock: { subject: _, ...shown } }) => shown)
  return ({ wording, greeting, until }) => html(wording, allFolded({ greeting, until }))
}
