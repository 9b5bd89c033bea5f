import { AsyncLocalStorage } from 'node:async_hooks'

/** Nobody reads on from there. */
const LONGEST = 100
/** What was said on behalf of one visitor. */
export class Conversation {
  #exchanges = []
  get exchanges() {
    return this.#exchanges
  }
  note(exchange) {
    this.#exchanges.push(exchange)
    if (this.#exchanges.length > LONGEST) this.#exchanges.shift()
  }
  /** Whatever is fetched meanwhile with `overheardFetch` is part of this conversation. */
  during(act) {
    return current.run(this, act)
  }
}
const current = new AsyncLocalStorage()
/** `fetch`, overheard by whoever watches backstage. An operation service has no such thing. */
export const overheardFetch = async (input, init) => {
  const conversation = current.getStore()
  if (!conversation) return fetch(input, init)
  const { method, headers, url } = new Request(input, { ...init, signal: null })
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
function jsonIn(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
