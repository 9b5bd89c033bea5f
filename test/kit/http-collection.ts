/* The form of the REST Client of Visual Studio Code, as far as our collection uses it. */

interface CollectedRequest {
  /** What it shows, and the statuses that may come. */
  readonly title: string
  readonly statuses: readonly number[]
  readonly name: string | undefined
  /** With `{{placeholders}}` still in them. */
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface Collection {
  /** As they stand in the file, in which each may name those before it. */
  readonly variables: Readonly<Record<string, string>>
  readonly requests: readonly CollectedRequest[]
}

/** @throws {Error} for what is not of that form. */
export function collectionIn(text: string): Collection {
  const [preamble = '', ...parts] = text.split(/^### /m)
  const variables = Object.fromEntries(
    [...preamble.matchAll(/^@(\w+) = (.*)$/gm)].map(([, name, value]) => [name!, value!]),
  )
  return { variables, requests: parts.map(requestIn) }
}

function requestIn(part: string): CollectedRequest {
  const [title = '', ...lines] = part.split('\n')
  const name = /^# @name (\w+)$/.exec(lines[0] ?? '')?.[1]
  const [head = '', ...bodies] = lines
    .slice(name ? 1 : 0)
    .join('\n')
    .split('\n\n')
  const [requestLine = '', ...fields] = head.split('\n').filter((line) => line !== '')
  const [, method, url] = /^([A-Z]+) (\S+)$/.exec(requestLine) ?? []
  if (!method || !url) throw new Error(`no request under: ${title}`)
  const body = bodies.join('\n\n').trim()
  return {
    ...{ title, name, method, url },
    statuses: [...(/ · (.*)$/.exec(title)?.[1] ?? '').matchAll(/\b\d{3}\b/g)].map(([status]) =>
      Number(status),
    ),
    headers: Object.fromEntries(fields.map((field) => field.split(': ') as [string, string])),
    body: body === '' ? undefined : body,
  }
}

/** Puts in what the placeholders stand for, also those within it. @throws {Error} for one that stands for nothing. */
export function filledIn(text: string, lookUp: (placeholder: string) => string | undefined): string {
  return text.replaceAll(/\{\{([^{}]+)\}\}/g, (_, placeholder: string) => {
    const value = lookUp(placeholder)
    if (value === undefined) throw new Error(`nothing is known of {{${placeholder}}}`)
    return filledIn(value, lookUp)
  })
}

/** What `name.response.body.path` stands for. */
export function valueIn(answers: ReadonlyMap<string, unknown>, placeholder: string): string | undefined {
  const [, name, path] = /^(\w+)\.response\.body\.(.+)$/.exec(placeholder) ?? []
  if (!name || !path || !answers.has(name)) return undefined
  const keys = path.match(/\w+/g) ?? []
  const value = keys.reduce<unknown>(
    (parent, key) => (parent as Record<string, unknown> | undefined)?.[key],
    answers.get(name),
  )
  return typeof value === 'string' ? value : undefined
}
