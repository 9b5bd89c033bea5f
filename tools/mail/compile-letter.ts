import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import mjml2html from 'mjml'

export const LETTERS = ['otp-letter', 'lock-letter'] as const

type Letter = (typeof LETTERS)[number]

const FOLDER = new URL('../../src/adapters/mail-composer/', import.meta.url)

/** A line that may need an encoding (RFC 2045 §6.7) once its placeholders are filled in. */
const LONG_LINE = /^.{61,}$/gm
/** The end of a tag before a text, so that the text has a line to itself. */
const BEFORE_TEXT = /(?<=")(?=>\{\{)/g
const BREAKABLE = /(?<=;) ?(?=[a-z-]+:)|(?<=") (?=[a-z:-]+=)|(?<=,) ?(?=[A-Za-z'.])/g

/** MJML validates these attributes and rejects a placeholder in them. */
const EXAMPLES: Readonly<Record<string, string>> = {
  direction: 'ltr',
  start: 'left',
  brandColor: '#ffffff',
  onBrandColor: '#ffffff',
}

/** The file of the compiled letter. */
export function compiled(letter: Letter): URL {
  return new URL(`${letter}.html`, FOLDER)
}

/**
 * Compiles a letter to HTML: one element a line, without indentation. It has no web fonts, because a mail that loads
 * one reveals its reader. It breaks long lines between attributes and declarations, where HTML and CSS allow it. A mail
 * with short lines needs no encoding, and encoding is the most expensive part of sending a mail.
 *
 * @throws {Error} naming the lines that are not MJML.
 */
export async function compileLetter(letter: Letter): Promise<string> {
  const file = new URL(`${letter}.mjml`, FOLDER)
  const source = await readFile(file, 'utf8')
  const options = { fonts: {}, filePath: fileURLToPath(file), ignoreIncludes: false }
  await mjml2html(source, { ...options, preprocessors: [withExamples], validationLevel: 'strict' })
  const { html } = await mjml2html(source, { ...options, keepComments: false, validationLevel: 'skip' })
  const lines = html
    .replaceAll(/^\s+|[ \t]+$/gm, '')
    .replaceAll(BEFORE_TEXT, '\n')
    .trim()
  return `${lines.replaceAll(LONG_LINE, (line) => line.replaceAll(BREAKABLE, '\n'))}\n`
}

function withExamples(source: string): string {
  return source.replaceAll(/\{\{(\w+)\}\}/g, (placeholder, name) => EXAMPLES[name] ?? placeholder)
}
