import {
  bindMigrationAwareSqlAdapterFactory,
  type ErrorRegistry,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'

/** Calls a method of the engine by the CLI's name for it. */
export type CallEngine = (method: string, params: unknown) => Promise<unknown>

/** Methods for which the CLI and the engine have different names. */
const ALIASES: Readonly<Record<string, string>> = { getDatabaseVersion: 'version' }

/** Starts Prisma's schema engine on a database. */
export async function startEngine(
  database: SqlMigrationAwareDriverAdapterFactory,
  datamodels: [path: string, content: string][],
): Promise<CallEngine> {
  // Imported here so that a Node.js without WebAssembly imports fails in a request (json-rpc.ts).
  const { SchemaEngine } = await import('@prisma/schema-engine-wasm')
  const factory = bindMigrationAwareSqlAdapterFactory(database)
  const options = { datamodels: datamodels.length > 0 ? datamodels : undefined }
  const log = (line: string) => process.stderr.write(line)
  const panic = watchForPanic()
  const engine = await Promise.race([SchemaEngine.new(options, log, factory), panic.thrown])

  return async (method, params) => {
    const call: unknown = Reflect.get(engine, ALIASES[method] ?? method)
    if (typeof call !== 'function') throw new Error(`The schema engine has no method ${method}`)
    try {
      return await Promise.race([call.call(engine, params), panic.thrown])
    } catch (error) {
      if (panic.reason) throw new Error(`The schema engine panicked: ${panic.reason}`)
      throw named(error, factory.errorRegistry)
    }
  }
}

export async function engineVersion(): Promise<string> {
  const { version } = await import('@prisma/schema-engine-wasm')
  return version()
}

/** A panic may be thrown outside the call, which is then never answered. */
function watchForPanic() {
  const thrown = new Promise<never>((_, reject) => process.on('uncaughtException', reject))
  // Between two calls nothing awaits it.
  thrown.catch(() => {})

  const panic = { thrown, reason: '' }
  const registry = {
    set_message(reason: string) {
      panic.reason = reason
    },
  }
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: registry })
  return panic
}

/** For errors that do not come from PostgreSQL, the engine knows only a number. */
function named(error: unknown, registry: ErrorRegistry): unknown {
  if (error instanceof Error) {
    error.message = error.message.replace(/External error id#(\d+)/g, (number, id) =>
      String(registry.consumeError(Number(id))?.error ?? number),
    )
  }
  return error
}
