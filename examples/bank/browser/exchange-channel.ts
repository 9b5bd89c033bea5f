import { CHANNEL, type PageExchange } from './exchange.ts'

/* Sends the calls of the bank's page to the stage. The page imports it first. A page without a stage does not need it. */

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
  const post = (status: number | undefined, answer: unknown) =>
    stage.postMessage({ ...said, status, answer } satisfies PageExchange)
  try {
    const response = await ask(input, init)
    post(response.status, withoutToken(jsonIn(await response.clone().text())))
    return response
  } catch (error) {
    post(undefined, undefined)
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

/** Hides the code: only its user and the service may see it. */
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
