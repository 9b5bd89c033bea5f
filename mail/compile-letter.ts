import { readFile } from 'node:fs/promises'
import mjml2html from 'mjml'

export const SOURCE = new URL('../src/adapters/mail-composer/otp-letter.mjml', import.meta.url)
export const COMPILED = new URL('../src/adapters/mail-composer/otp-letter.html', import.meta.url)

/** What MJML would not take a placeholder for. */
const EXAMPLES: Readonly<Record<string, string>> = {
  direction: 'ltr',
  start: 'left',
  brandColor: '#ffffff',
  onBrandColor: '#ffffff',
}

/**
 * The letter as HTML, a line an element, without indentation. No web fonts: a mail that loads one from elsewhere tells who reads it.
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
  return `${html.replaceAll(/^\s+|[ \t]+$/gm, '').trim()}\n`
}
