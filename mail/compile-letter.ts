import { readFile } from 'node:fs/promises'
import mjml2html from 'mjml'

export const SOURCE = new URL('../src/adapters/mail-composer/otp-letter.mjml', import.meta.url)
export const COMPILED = new URL('../src/adapters/mail-composer/otp-letter.html', import.meta.url)

/** Longer than what needs no encoding (RFC 2045 §6.7), less what a placeholder may become. */
const LONG_LINE = /^.{61,}$/gm
const BREAKABLE = /(?<=;) ?(?=[a-z-]+:)|(?<=") (?=[a-z:-]+=)|(?<=,) ?(?=[A-Za-z'.])/g

/** What MJML would not take a placeholder for. */
const EXAMPLES: Readonly<Record<string, string>> = {
  direction: 'ltr',
  start: 'left',
  brandColor: '#ffffff',
  onBrandColor: '#ffffff',
}

/**
 * The letter as HTML, a line an element, without indentation. No web fonts: a mail that loads one from elsewhere tells who reads it.
 * Long lines are broken where HTML and CSS do not care, between attributes and declarations: a mail whose lines are short needs no
 * encoding on its way, and encoding is the most expensive part of a mail.
 *
 * @throws {Error} naming the lines that are not MJML.
 */
export async function compileLetter(): Promise<string> {
  const source = await readFile(SOURCE, 'utf8')
  const withExamples = source.replaceAll(
    /\{\{(\w+)\}\}/g,
    (placeholder, name) => EXAMPLES[name] ?? placeholder,
  )
  await mjml2html(withExamples, { fonts: {}, validationLevel: 'strict' })
  const { html } = await mjml2html(source, { fonts: {}, keepComments: false, validationLevel: 'skip' })
  const lines = html.replaceAll(/^\s+|[ \t]+$/gm, '').trim()
  return `${lines.replaceAll(LONG_LINE, (line) => line.replaceAll(BREAKABLE, '\n'))}\n`
}
