import { randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Agent, SignInSecrets } from '../../../contracts/agent-sign-in.ts'
import type { EdgeContext } from '../edge/state.ts'
import type { SealedCookies } from './sealed-cookies.ts'

/** An agent who is signed in, in one browser. */
export interface AgentSession {
  readonly agent: Agent
  /** When the agent has to sign in again, whatever happens until then. */
  readonly endsAt: Date
  /** The forms of this session have it. Another site does not know it. */
  readonly formToken: string
}

/** How long an agent may look at nothing. */
const IDLE_IN_MS = 15 * 60_000
/** How long an agent may take at the issuer. */
const SIGN_IN_IN_MS = 10 * 60_000

/** How long the page after an action may take to be shown. */
const DONE_IN_MS = 60_000

const SESSION = 'support'
const SIGN_IN = 'support-sign-in'
const DONE = 'support-done'

const Stored = z.object({
  agent: z.object({ id: z.string(), name: z.string(), mayRead: z.boolean(), mayWrite: z.boolean() }),
  endsAt: z.number(),
  formToken: z.string(),
})
const StoredSignIn = z.object({
  secrets: z.object({ state: z.string(), nonce: z.string(), codeVerifier: z.string() }),
  returnTo: z.string(),
})

const StoredDone = z.object({ userId: z.string(), done: z.string() })

/** Sessions of agents. Each is in a cookie of its browser, and nowhere else. */
export class AgentSessions {
  readonly #cookies: SealedCookies
  readonly #clock: Clock
  readonly #lengthInMs: number

  constructor(cookies: SealedCookies, clock: Clock, { seconds }: { readonly seconds: number }) {
    this.#cookies = cookies
    this.#clock = clock
    this.#lengthInMs = seconds * 1000
  }

  async start(ctx: EdgeContext, agent: Agent): Promise<void> {
    const endsAt = new Date(this.#clock.now().getTime() + this.#lengthInMs)
    await this.#keep(ctx, { agent, endsAt, formToken: randomBytes(32).toString('base64url') })
  }

  /** The session of this browser, which its idle time then starts again for. Undefined if it has none. */
  async resume(ctx: EdgeContext): Promise<AgentSession | undefined> {
    const stored = Stored.safeParse(await this.#cookies.read(ctx, SESSION, this.#clock.now()))
    if (!stored.success) return undefined
    const session = { ...stored.data, endsAt: new Date(stored.data.endsAt) }
    await this.#keep(ctx, session)
    return session
  }

  end(ctx: EdgeContext): void {
    ctx.remove('Set-Cookie')
    this.#cookies.remove(ctx, SESSION)
  }

  /** @param returnTo where the agent wanted to go. */
  async startSignIn(ctx: EdgeContext, secrets: SignInSecrets, returnTo: string): Promise<void> {
    const until = new Date(this.#clock.now().getTime() + SIGN_IN_IN_MS)
    await this.#cookies.set(ctx, SIGN_IN, { secrets, returnTo }, until)
  }

  /** The sign-in that this browser began. It can be taken once. */
  async takeSignIn(
    ctx: EdgeContext,
  ): Promise<{ readonly secrets: SignInSecrets; readonly returnTo: string } | undefined> {
    const stored = StoredSignIn.safeParse(await this.#cookies.read(ctx, SIGN_IN, this.#clock.now()))
    this.#cookies.remove(ctx, SIGN_IN)
    return stored.data
  }

  /** Keeps what was done to a user for the next page about them. A link cannot say it, because anybody can write a link. */
  async keepDone(ctx: EdgeContext, userId: string, done: string): Promise<void> {
    const until = new Date(this.#clock.now().getTime() + DONE_IN_MS)
    await this.#cookies.set(ctx, DONE, { userId, done }, until)
  }

  /** What was just done to the user. It can be taken once. */
  async takeDone(ctx: EdgeContext, userId: string): Promise<string | undefined> {
    const stored = StoredDone.safeParse(await this.#cookies.read(ctx, DONE, this.#clock.now()))
    if (stored.data?.userId !== userId) return undefined
    this.#cookies.remove(ctx, DONE)
    return stored.data.done
  }

  async #keep(ctx: EdgeContext, { agent, endsAt, formToken }: AgentSession): Promise<void> {
    const idleUntil = new Date(this.#clock.now().getTime() + IDLE_IN_MS)
    const until = idleUntil < endsAt ? idleUntil : endsAt
    await this.#cookies.set(ctx, SESSION, { agent, endsAt: endsAt.getTime(), formToken }, until)
  }
}

/** Whether the form is one of this session. */
export function isOfSession({ formToken }: AgentSession, given: string | undefined): boolean {
  const [ours, theirs] = [Buffer.from(formToken), Buffer.from(given ?? '')]
  return ours.length === theirs.length && timingSafeEqual(ours, theirs)
}
