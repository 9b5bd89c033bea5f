import { delimiter, dirname, join } from 'node:path'
import { defineConfig } from 'prisma/config'
import { findRunningServer } from './src/development/postgres/running-server.ts'

// Otherwise the Prisma CLI downloads a native schema engine; see prisma/schema-engine.
if (!process.env.PRISMA_SCHEMA_ENGINE_BINARY) {
  if (!process.features.typescript) {
    throw new Error(
      `Node.js ${process.version} cannot run prisma/schema-engine: run prisma with npx or npm run`,
    )
  }
  process.env.PRISMA_SCHEMA_ENGINE_BINARY = join(import.meta.dirname, 'prisma/schema-engine/schema-engine.ts')
  // The engine starts with `env node`, which may find another Node.js.
  process.env.PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
}

const [command = '', ...args] = process.argv.slice(2)
const needsDatabase =
  ['migrate', 'db', 'studio'].includes(command) && !args.some((arg) => /^(-h|--help)$/.test(arg))

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(needsDatabase && { datasource: { url: databaseUrl() } }),
})

/** The configured database, or the embedded one of a development service that is running. */
function databaseUrl(): string {
  const url =
    process.env.DATABASE_URL || findRunningServer(join(process.env.DATA_DIR || '.data', 'postgres'))?.url
  if (url) return url
  throw new Error(
    'No database: run npm start, which starts one, or set DATABASE_URL=postgresql://user:password@host:5432/database',
  )
}
