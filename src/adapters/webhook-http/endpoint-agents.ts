import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'

/** Deliveries at the same time to one endpoint. Others wait for one of these connections. */
const CONNECTIONS_PER_ENDPOINT = 16
const IDLE_IN_MS = 5000
/** After this time, new connections look the address of the endpoint up again. */
const RENEWED_AFTER_MS = 60_000

interface Entry {
  readonly agent: HttpAgent
  readonly renewAt: number
}

/** The connections to each endpoint: bounded, used again, and given up after a minute, so that an endpoint may move. */
export class EndpointAgents {
  readonly #entries = new Map<string, Entry>()

  of(clientId: string, protocol: string): HttpAgent {
    const key = `${protocol}${clientId}`
    const now = performance.now()
    const entry = this.#entries.get(key)
    if (entry && now < entry.renewAt) return entry.agent
    for (const [other, { renewAt }] of this.#entries) if (now >= renewAt) this.#entries.delete(other)
    const agent = newAgent(protocol)
    this.#entries.set(key, { agent, renewAt: now + RENEWED_AFTER_MS })
    return agent
  }
}

/** An idle connection ends after five seconds, also one of an agent that has been replaced. */
function newAgent(protocol: string): HttpAgent {
  const options = { keepAlive: true, maxSockets: CONNECTIONS_PER_ENDPOINT, timeout: IDLE_IN_MS }
  return protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
}
