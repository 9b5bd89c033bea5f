import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { ApiDocument, type Exchange } from './api-document.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The parsed JSON body. Undefined if the body is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests assert what the body holds
  readonly body: any
}

export interface CallInit {
  readonly token?: string
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is not plain JSON. */
  readonly body?: string | Uint8Array<ArrayBuffer>
}

/** Makes a call over HTTP and parses the answer as JSON. @throws {Error} if the API's document does not describe it. */
export async function call(url: string, method: string, path: string, init: CallInit = {}): Promise<Reply> {
  const { status, headers, text } = await ask(url, method, path, init)
  return { status, headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** Makes a call over HTTP. @throws {Error} if the API's document does not describe it. */
export async function ask(
  url: string,
  method: string,
  path: string,
  { token, json, headers = {}, body }: CallInit = {},
): Promise<Answer> {
  const content = json === undefined ? body : JSON.stringify(json)
  const sent = new Headers({
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
    ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...headers,
  })
  const response = await fetch(`${url}${path}`, {
    method,
    headers: sent,
    ...(content === undefined ? {} : { body: content }),
  })
  const text = await response.text()
  assertDocumented({
    ...{ method, path },
    request: {
      headers: sent,
      body: content === undefined ? undefined : new TextDecoder().decode(Buffer.from(content)),
    },
    response: { status: response.status, headers: response.headers, body: text },
  })
  return { status: response.status, headers: response.headers, text }
}

const api = ApiDocument.read()

/** @throws {Error} that lists everything in the exchange that the API's document does not describe. */
export function assertDocumented(exchange: Exchange): void {
  const faults = api.faultsOf(exchange)
  const { method, path, response } = exchange
  if (faults.length > 0) {
    const what = `${method} ${path.slice(0, 200)} answered ${response.status}`
    throw new Error([`openapi.json does not describe this: ${what}`, ...faults].join('\n  '))
  }
  remember(exchange)
}

const remembered = new Set<string>()

/** Notes the answer for `unseen-answers.ts`, if TEST_ANSWERS_SEEN names a folder. */
function remember({ method, path, response }: Exchange): void {
  const folder = process.env.TEST_ANSWERS_SEEN
  const operation = api.operationOf({ method, path })
  if (!folder || !operation) return

  const code = response.status >= 400 ? JSON.parse(response.body || '{}').code : undefined
  const type = response.headers.get('Content-Type')?.replace(/;.*/s, '')
  const answer = [operation.operationId, response.status, code ?? type ?? ''].join(' ').trim()
  if (remembered.has(answer)) return
  remembered.add(answer)
  appendFileSync(join(folder, `${process.pid}-${threadId}`), `${answer}\n`)
}
