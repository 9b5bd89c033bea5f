export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The JSON of the body; undefined if there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the tests find out
  readonly body: any
}

export interface CallInit {
  readonly token?: string
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is not, or not simply, JSON. */
  readonly body?: RequestInit['body']
}

/** Makes a call over HTTP and reads the answer as JSON. */
export async function call(
  url: string,
  method: string,
  path: string,
  { token, json, headers = {}, body }: CallInit = {},
): Promise<Reply> {
  const content = json === undefined ? body : JSON.stringify(json)
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}
