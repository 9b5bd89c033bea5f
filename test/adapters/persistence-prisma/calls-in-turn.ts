/**
 * Lets as many calls of ports be under way as a pool has connections. AVA begins all cases of a file at once. On a loaded machine their
 * calls would otherwise wait for a connection for longer than the service does, and fail for that alone. This queue has no time-out.
 */
export class CallsInTurn {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(most: number) {
    this.#free = most
  }

  async take<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await call()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  /** The same ports, whose calls take turns. */
  of<Ports extends object>(ports: Ports): Ports {
    const inTurn = Object.entries(ports).map(([name, port]) => [name, this.#calling(port)])
    return Object.fromEntries(inTurn) as Ports
  }

  #calling<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => this.take(async () => member.apply(target, args))
      },
    })
  }
}
