import { AsyncLocalStorage } from 'node:async_hooks'

/** One request of the bank to Countersign and its answer, without credentials. */
export interface Exchange {
  readonly at: Date
  readonly method: string
  readonly path: string
  readonly idempotencyKey: string | undefined
  readonly request: unknown
  /** Undefined without an answer. */
  readonly status: number | undefined
  readonly answer: unknown
}

/** Older exchanges are dropped. */
const LONGEST = 100

/** The exchanges on behalf of one visitor. */
export class Conversation {
  readonly #exchanges: Exchange[] = []

  get exchanges(): readonly Exchange[] {
    return this.#exchanges
  }

  note(exchange: Exchange): void {
    this.#exchanges.push(exchange)
    if (this.#exchanges.length > LONGEST) this.#exchanges.shift()
  }

  /** Adds everything to this conversation that `recordedFetch` fetches during `act`. */
  during<Result>(act: () => Promise<Result>): Promise<Result> {
    return current.run(this, act)
  }
}

const current = new AsyncLocalStorage<Conversation>()

/** `fetch` that records each exchange for the visitor's page. A real operation service does not need this. */
export const recordedFetch: typeof globalThis.fetch = async (input, init) => {
  const conversation = current.getStore()
  if (!conversation) return fetch(input, init)

  const { method, headers, url } = new Request(input as string | URL, { ...init, signal: null })
  const said = {
    at: new Date(),
    method,
    path: new URL(url).pathname,
    idempotencyKey: headers.get('plmr-idempotency-key') ?? undefined,
    request: jsonIn(String(init?.body ?? '')),
  }
  try {
    const response = await fetch(input, init)
    const answer = jsonIn(await response.clone().text())
    conversation.note({ ...said, status: response.status, answer })
    return response
  } catch (error) {
    conversation.note({ ...said, status: undefined, answer: undefined })
    throw error
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
