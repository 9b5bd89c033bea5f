#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { checkConnection, connectionSettings, createDatabase } from './connection.ts'
import { failure, serveJsonRpc } from './json-rpc.ts'
import { MigrationAdapter } from './migration-adapter.ts'
import { type CallEngine, engineVersion, startEngine } from './wasm-engine.ts'

/**
 * The schema engine that the Prisma CLI runs for `migrate` and `db`: Prisma's own engine as WebAssembly, instead of the native
 * one that the CLI would download. `prisma.config.ts` points the CLI to this file. The CLI calls it with `--version`, with `cli`
 * and a command about the database as a whole, or without both to speak JSON-RPC over stdin and stdout.
 */
const { values, positionals } = parseArgs({
  options: {
    version: { type: 'boolean' },
    datasource: { type: 'string' },
    'datasource-fd': { type: 'string' },
    datamodels: { type: 'string', multiple: true },
  },
  allowPositionals: true,
  // The CLI passes further options, which the data models make redundant. The engine must not exit because of one (json-rpc.ts).
  strict: false,
})
const {
  version,
  datasource,
  'datasource-fd': datasourceFd,
  datamodels,
} = values as {
  version?: boolean
  datasource?: string
  'datasource-fd'?: string
  datamodels?: string[]
}

// The service passes it through a pipe: it contains a password, and every account can read the arguments of a process.
const source = JSON.parse(
  datasource ?? (datasourceFd ? readFileSync(Number(datasourceFd), 'utf8') : '{}'),
) as { url?: string }

// The CLI parses stderr as JSON, one message per line. Node's warnings are not JSON.
process.removeAllListeners('warning')

if (version) console.log(`schema-engine-wasm ${await engineVersion()}`)
else if (positionals[0] === 'cli') await command(positionals[1])
else await serve()

async function command(name: string | undefined): Promise<void> {
  try {
    if (name === 'can-connect-to-database') await checkConnection(settings())
    else if (name === 'create-database') await createDatabase(settings())
    else throw new Error(`The schema engine has no command ${name}`)
  } catch (error) {
    const message = { level: 'ERROR', target: 'schema_engine::logger', fields: failure(error) }
    // The CLI skips the first line.
    console.error(`\n${JSON.stringify(message)}`)
    process.exitCode = 1
  }
}

async function serve(): Promise<void> {
  let starting: Promise<CallEngine> | undefined
  await serveJsonRpc(async (method, params) => {
    starting ??= start()
    const callEngine = await starting
    return callEngine(method, params)
  })
  // The engine keeps its connection open, which would keep the process alive.
  process.exit()
}

async function start(): Promise<CallEngine> {
  // The engine's own error message lacks the reason.
  await checkConnection(settings())
  const schemas = (datamodels ?? []).map(async (path): Promise<[string, string]> => {
    return [path, await readFile(path, 'utf8')]
  })
  return startEngine(new MigrationAdapter(settings()), await Promise.all(schemas))
}

function settings() {
  return connectionSettings(source.url)
}
