import type { ServerResponse } from 'node:http'

export interface SendBounds {
  /** Answers that are sent at the same time. */
  readonly atOnce: number
  /** Requests that wait for one of them to end. */
  readonly mostWaiting: number
  readonly mostWaitInMs: number
  /** From the start of an answer to its last byte. A client that takes longer is let go. */
  readonly mostTimeInMs: number
}

const BOUNDS: SendBounds = { atOnce: 16, mostWaiting: 256, mostWaitInMs: 2000, mostTimeInMs: 30_000 }

/** Bounds what is being sent: a client that reads slowly keeps an answer in memory, and costs nothing itself. */
export class Sends {
  readonly #bounds: SendBounds
  readonly #waiting = new Set<() => void>()
  #underWay = 0

  constructor(bounds: SendBounds = BOUNDS) {
    this.#bounds = bounds
  }

  /** Whether the answer may be sent now. False if there is no room in time. The room is taken until the answer has ended. */
  async begin(response: ServerResponse): Promise<boolean> {
    if (this.#underWay >= this.#bounds.atOnce && !(await this.#waitForRoom(response))) return false
    this.#underWay++
    const deadline = setTimeout(() => response.destroy(), this.#bounds.mostTimeInMs).unref()
    response.once('close', () => {
      clearTimeout(deadline)
      this.#underWay--
      this.#letNextIn()
    })
    return true
  }

  #waitForRoom(response: ServerResponse): Promise<boolean> {
    if (this.#waiting.size >= this.#bounds.mostWaiting) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const end = (hasRoom: boolean) => {
      clearTimeout(timer)
      response.off('close', giveUp)
      this.#waiting.delete(enter)
      resolve(hasRoom)
    }
    const enter = () => end(true)
    const giveUp = () => end(false)
    const timer = setTimeout(giveUp, this.#bounds.mostWaitInMs)
    response.once('close', giveUp)
    this.#waiting.add(enter)
    return promise
  }

  #letNextIn(): void {
    const [next] = this.#waiting
    next?.()
  }
}
