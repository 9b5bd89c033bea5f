import type { MailLanguage } from './mail-language.ts'

/** How a mail, and the dialog, show whose they are. Each client may have a brand of its own. */
export interface Brand {
  readonly name: string
  /** `#rrggbb` */
  readonly color: string
  /** An https URL. The logo replaces the name, on the colour. */
  readonly logoUrl: string | undefined
  /** The languages of the mails. The first is for readers of any other. Undefined: all there are, and English for readers of others. */
  readonly languages?: readonly [MailLanguage, ...MailLanguage[]] | undefined
  /** The host of the app that users type codes into. Undefined: a code is bound to no origin. */
  readonly appHost?: string | undefined
  /** Who sends the mails. Undefined: the sender of the installation. */
  readonly sender?: Sender | undefined
}

export interface Sender {
  /** One mailbox, with or without a name. */
  readonly from: string
  /** One mailbox that gets the answers. Undefined: the sender. */
  readonly replyTo: string | undefined
  /** The domain to which mail systems send their notices about mails with a code. Undefined: that of the installation, if it has one. */
  readonly bounceDomain?: string | undefined
}

/** Black or white, whichever is easier to read on this colour (`#rrggbb`): at least 4.58 to 1. WCAG 2.2 §1.4.3 asks for 4.5. */
export function readableOn(color: string): '#000' | '#fff' {
  // Contrast to black is (L + 0.05) / 0.05, to white 1.05 / (L + 0.05).
  return (luminance(color) + 0.05) ** 2 > 1.05 * 0.05 ? '#000' : '#fff'
}

/** Relative luminance, WCAG 2.2. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}
