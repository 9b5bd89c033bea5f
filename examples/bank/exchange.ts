import { AsyncLocalStorage } from 'node:async_hooks'

/** What the bank asked Countersign for, and what it was answered, without credentials. */
export interface Exchange {
  readonly at: Date
  readonly method: string
  readonly path: string
  readonly idempotencyKey: string | undefined
  readonly request: unknown
  /** Undefined if there was no answer. */
  readonly status: number | undefined
  readonly answer: unknown
}

/** Nobody reads on from there. */
const LONGEST = 100

/** What was said on behalf of one visitor. */
export class Conversation {
  readonly #exchanges: Exchange[] = []

  get exchanges(): readonly Exchange[] {
    return this.#exchanges
  }

  note(exchange: Exchange): void {
    this.#exchanges.push(exchange)
    if (this.#exchanges.length > LONGEST) this.#exchanges.shift()
  }

  /** Whatever is fetched meanwhile with `overheardFetch` is part of this conversation. */
  during<Result>(act: () => Promise<Result>): Promise<Result> {
    return current.run(this, act)
  }
}

const current = new AsyncLocalStorage<Conversation>()

/** `fetch`, overheard by whoever watches backstage. An operation service has no such thing. */
export const overheardFetch: typeof globalThis.fetch = async (input, init) => {
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
