/** A piece of a page. Only {@link html} makes it, so every value in it is escaped. */
export class Html {
  readonly #text: string
  constructor(strings: readonly string[], values: readonly HtmlValue[]) {
    this.#text = strings.map((string, index) => string + written(values[index])).join('')
  }
  toString(): string {
    return this.#text
  }
}

/** What is false or undefined is not there. */
type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** HTML or SVG whose values are text, and escaped, unless they come from here themselves. Attributes need their quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings, values)
}

function written(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'object') return value.map(written).join('')
  return String(value).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}
