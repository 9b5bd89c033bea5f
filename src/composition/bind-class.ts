import type { AbstractNewable, Bind, ServiceIdentifier } from 'inversify'

/** A port, a class, or the result of {@link key}. A plain symbol is none: Inversify accepts any symbol for any dependency. */
export type Key<Instance> = AbstractNewable<Instance>

/** Makes a key for a value that has no class. At run time it is a symbol; its type names the value. */
export function key<Value>(name: string): Key<Value> {
  return Symbol(name) as ServiceIdentifier<Value> as Key<Value>
}

type Class<Arguments extends readonly unknown[], Instance> = new (...args: [...Arguments]) => Instance
/** One key for each argument, even for an optional one: nobody would notice a store without its listener. */
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
