import { CHANNEL, type Heard } from './exchange.ts'

/* Lets the stage hear what the bank's page says. Imported before all else there; a page that is not on a stage has no need of it. */

const stage = new BroadcastChannel(CHANNEL)
const ask = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const { method, url } = new Request(input, { ...init, signal: null })
  const said = {
    at: new Date().toISOString(),
    method,
    path: new URL(url).pathname,
    request: withoutCode(jsonIn(String(init?.body ?? ''))),
  }
  const tell = (status: number | undefined, answer: unknown) =>
    stage.postMessage({ ...said, status, answer } satisfies Heard)
  try {
    const response = await ask(input, init)
    tell(response.status, withoutToken(jsonIn(await response.clone().text())))
    return response
  } catch (error) {
    tell(undefined, undefined)
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

/** A code is between its user and the service. */
function withoutCode(request: unknown): unknown {
  return typeof request === 'object' && request && 'totp' in request
    ? { ...request, totp: '••••••' }
    : request
}

function withoutToken(answer: unknown): unknown {
  return typeof answer === 'object' && answer && 'accessToken' in answer
    ? { ...answer, accessToken: '•••' }
    : answer
}
