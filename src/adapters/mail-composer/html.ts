/** Markup that may be sent as it is. Comes from {@link html} only. */
class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template of markup. Text put into it is escaped, always; only what this tag made goes in as it is. */
export function html(
  template: TemplateStringsArray,
  ...contents: readonly (string | Html | readonly Html[])[]
): Html {
  return new Html(String.raw({ raw: template }, ...contents.map(markupOf)))
}

function markupOf(content: string | Html | readonly Html[]): string {
  if (typeof content === 'string') return content.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
  return [content]
    .flat()
    .map(({ markup }) => markup)
    .join('')
}
