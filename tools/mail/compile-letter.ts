import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import mjml2html from 'mjml'

export const LETTERS = ['otp-letter', 'lock-letter'] as const

type Letter = (typeof LETTERS)[number]

const FOLDER = new URL('../../src/adapters/mail-composer/', import.meta.url)

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

/** Where the compiled letter is kept. */
export function compiled(letter: Letter): URL {
  return new URL(`${letter}.html`, FOLDER)
}

/**
 * A letter as HTML, a line an element, without indentation. No web fonts: a mail that loads one from elsewhere tells who reads it.
 * Long lines are broken where HTML and CSS do not care, between attributes and declarations: a mail whose lines are short needs no
 * encoding on its way, and encoding is the most expensive part of a mail.
 *
 * @throws {Error} naming the lines that are not MJML.
 */
export async function compileLetter(letter: Letter): Promise<string> {
  const file = new URL(`${letter}.mjml`, FOLDER)
  const source = await readFile(file, 'utf8')
  const options = { fonts: {}, filePath: fileURLToPath(file), ignoreIncludes: false }
  await mjml2html(source, { ...options, preprocessors: [withExamples], validationLevel: 'strict' })
  const { html } = await mjml2html(source, { ...options, keepComments: false, validationLevel: 'skip' })
  const lines = html.replaceAll(/^\s+|[ \t]+$/gm, '').trim()
  return `${lines.replaceAll(LONG_LINE, (line) => line.replaceAll(BREAKABLE, '\n'))}\n`
}

function withExamples(source: string): string {
  return source.replaceAll(/\{\{(\w+)\}\}/g, (placeholder, name) => EXAMPLES[name] ?? placeholder)
}
