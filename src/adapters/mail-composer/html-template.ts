/** The values of a template: text, which is escaped, or for a section one set of values for each repetition. */
export interface TemplateValues {
  readonly [name: string]: string | readonly TemplateValues[]
}

type Part =
  | string
  | { readonly placeholder: string }
  | { readonly section: string; readonly body: readonly Part[] }

const TOKEN = /\{\{([#/]?)([A-Za-z]+)\}\}/g

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * HTML with `{{placeholders}}` and `{{#sections}}…{{/sections}}`. The source is parsed once, and values never are. So a
 * value that looks like markup or like a placeholder stays text, in whatever order the values come.
 */
export class HtmlTemplate {
  readonly #parts: readonly Part[]

  private constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  /** @throws {Error} if a section is not closed, or if a closing tag has no open section. */
  static parse(source: string): HtmlTemplate {
    const root: Part[] = []
    const open: { name: string; parts: Part[] }[] = [{ name: '', parts: root }]
    let end = 0
    for (const { 0: token, 1: kind, 2: name, index } of source.matchAll(TOKEN)) {
      const { parts } = open.at(-1)!
      parts.push(source.slice(end, index))
      end = index + token.length
      if (kind === '') parts.push({ placeholder: name! })
      else if (kind === '#') {
        const body: Part[] = []
        parts.push({ section: name!, body })
        open.push({ name: name!, parts: body })
      } else if (open.pop()!.name !== name) throw new Error(`{{/${name}}} closes a section that is not open`)
    }
    if (open.length !== 1) throw new Error(`{{#${open.at(-1)?.name}}} is not closed`)
    root.push(source.slice(end))
    return new HtmlTemplate(root)
  }

  /**
   * Returns a copy with these values filled in wherever they occur. Placeholders without a value stay open.
   *
   * @throws {Error} if the template has no placeholder for a value.
   */
  fill(values: TemplateValues): HtmlTemplate {
    const used = new Set<string>()
    const filled = filledParts(this.#parts, values, used)
    const homeless = Object.keys(values).filter((name) => !used.has(name))
    if (homeless.length > 0) throw new Error(`the template has no place for ${homeless.join(', ')}`)
    return new HtmlTemplate(filled)
  }

  /** @throws {Error} if a placeholder or a section has no value. */
  toString(): string {
    return this.#parts
      .map((part) => {
        if (typeof part === 'string') return part
        throw new Error(`the template's ${'section' in part ? part.section : part.placeholder} is not filled`)
      })
      .join('')
  }
}

function filledParts(parts: readonly Part[], values: TemplateValues, used: Set<string>): Part[] {
  const filled: Part[] = []
  const add = (part: Part) => {
    const last = filled.at(-1)
    if (typeof part === 'string' && typeof last === 'string') filled[filled.length - 1] = last + part
    else filled.push(part)
  }
  for (const part of parts) {
    if (typeof part === 'string') add(part)
    else if ('placeholder' in part) {
      const value = values[part.placeholder]
      if (typeof value === 'string') used.add(part.placeholder)
      add(typeof value === 'string' ? escaped(value) : part)
    } else {
      const repetitions = values[part.section]
      const body = filledParts(part.body, values, used)
      if (typeof repetitions === 'object') {
        used.add(part.section)
        for (const repetition of repetitions)
          for (const each of filledParts(body, repetition, used)) add(each)
      } else add({ section: part.section, body })
    }
  }
  return filled
}

/** Writes ASCII only: every mail system passes that on unchanged and unencoded. */
function escaped(text: string): string {
  return text.replaceAll(
    /[&<>"']|[^\0-\x7f]/gu,
    (character) => ENTITIES[character] ?? `&#${character.codePointAt(0)};`,
  )
}
