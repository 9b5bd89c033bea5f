import test from 'ava'
import { Container, ContainerModule } from 'inversify'
import { bindClass, bindPort, key } from '../../src/composition/bind-class.ts'

abstract class Clock {
  abstract now(): Date
}
abstract class Identifiers {
  abstract next(): string
}
const Limit = key<number>('Limit')
const Name = key<string>('Name')

class Stamps {
  readonly #clock: Clock
  readonly #identifiers: Identifiers
  readonly #limit: number

  constructor(clock: Clock, identifiers: Identifiers, limit = 1) {
    this.#clock = clock
    this.#identifiers = identifiers
    this.#limit = limit
  }

  stamp(): string {
    return `${this.#identifiers.next()} ${this.#clock.now().toISOString()} ${this.#limit}`
  }
}

const NOON = new Date('2030-01-01T12:00:00Z')
class Noon implements Clock {
  now() {
    return NOON
  }
}

test('a class is created with what is bound to its dependencies, whenever that was bound', (t) => {
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(
    new ContainerModule(({ bind }) => bindClass(bind, Stamps, [Clock, Identifiers, Limit])),
    new ContainerModule(({ bind }) => {
      bindPort(bind, Clock, Noon, [])
      bind(Identifiers).toConstantValue({ next: () => 'first' })
      bind(Limit).toConstantValue(7)
    }),
  )

  t.is(container.get(Stamps).stamp(), 'first 2030-01-01T12:00:00.000Z 7')
  t.is(container.get(Stamps), container.get(Stamps))
})

/** Checked by `tsc`, which fails where a line after `@ts-expect-error` compiles. */
test('dependencies that are swapped, missing, surplus or of another type do not compile', (t) => {
  const never = () => {
    new ContainerModule(({ bind }) => {
      // @ts-expect-error The two ports are swapped.
      bindClass(bind, Stamps, [Identifiers, Clock, Limit])
      // @ts-expect-error The limit is missing, although the constructor has a default for it.
      bindClass(bind, Stamps, [Clock, Identifiers])
      // @ts-expect-error The clock is missing.
      bindClass(bind, Stamps, [Identifiers, Limit])
      // @ts-expect-error There is no fourth dependency.
      bindClass(bind, Stamps, [Clock, Identifiers, Limit, Name])
      // @ts-expect-error A key of a string stands where a number is needed.
      bindClass(bind, Stamps, [Clock, Identifiers, Name])
      // @ts-expect-error A symbol could stand for anything.
      bindClass(bind, Stamps, [Clock, Identifiers, Symbol('Limit')])
      // @ts-expect-error The class does not implement the port.
      bindPort(bind, Identifiers, Noon, [])
    })
  }

  t.is(typeof never, 'function')
})

test('nothing can be resolved while it is bound', (t) => {
  t.plan(1)
  const module = new ContainerModule((options) => {
    // @ts-expect-error A module has no `get`.
    t.is(options.get, undefined)
  })

  new Container().load(module)
})
