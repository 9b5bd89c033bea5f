import type { AbstractNewable, Bind, ServiceIdentifier } from 'inversify'

/** A port, a class, or what {@link key} makes. Inversify takes any symbol for any dependency, and so would not notice two that are swapped. */
export type Key<Instance> = AbstractNewable<Instance>

/** A key for what has no class of its own. At run time it is a symbol, and its type says what is bound to it. */
export function key<Value>(name: string): Key<Value> {
  return Symbol(name) as ServiceIdentifier<Value> as Key<Value>
}

type Class<Arguments extends readonly unknown[], Instance> = new (...args: [...Arguments]) => Instance
/** One key for each argument, also for an optional one: a class without its listener would go unnoticed. */
type KeysOf<Arguments extends readonly unknown[]> = { readonly [P in keyof Arguments]-?: Key<Arguments[P]> }

/** Binds a class to itself. Dependencies that are swapped, missing or of the wrong type do not compile. */
export function bindClass<Arguments extends readonly unknown[], Instance>(
  bind: Bind,
  type: Class<Arguments, Instance>,
  dependencies: KeysOf<Arguments>,
): void {
  bindPort(bind, type, type, dependencies)
}

/** Binds a class to the port that it implements. */
export function bindPort<Arguments extends readonly unknown[], Instance>(
  bind: Bind,
  port: Key<Instance>,
  type: Class<Arguments, Instance>,
  dependencies: KeysOf<Arguments>,
): void {
  bind(port).toResolvedValue(
    (...args: unknown[]) => new type(...(args as unknown as [...Arguments])),
    dependencies as unknown as [],
  )
}
