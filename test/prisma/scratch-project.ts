import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(import.meta.resolve('prisma/build/index.js'))
const CONFIG = fileURLToPath(new URL('../../prisma.config.ts', import.meta.url))

const SCRATCH_CONFIG = `
import config from ${JSON.stringify(CONFIG)}
export default { ...config, schema: 'schema.prisma', migrations: { path: 'migrations' } }
`
const SCHEMA_HEAD = `
generator client {
  provider = "prisma-client"
  output   = "generated"
}
datasource db {
  provider = "postgresql"
}
`

export interface Outcome {
  readonly status: number
  /** All that it wrote, to stdout and to stderr. */
  readonly output: string
}

type Environment = Readonly<Record<string, string>>

/** A project in a temporary folder, with the Prisma configuration of this one but a schema and migrations of its own. */
export class ScratchProject {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  static async create(models: string): Promise<ScratchProject> {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-scratch-'))
    await writeFile(join(folder, 'prisma.config.ts'), SCRATCH_CONFIG)
    await writeFile(join(folder, 'schema.prisma'), SCHEMA_HEAD + models)
    await mkdir(join(folder, 'migrations'))
    await writeFile(join(folder, 'migrations', 'migration_lock.toml'), 'provider = "postgresql"\n')
    return new ScratchProject(folder)
  }

  async writeMigration(name: string, sql: string): Promise<void> {
    await mkdir(join(this.folder, 'migrations', name), { recursive: true })
    await writeFile(join(this.folder, 'migrations', name, 'migration.sql'), sql)
  }

  async migrations(): Promise<string[]> {
    const names = await readdir(join(this.folder, 'migrations'))
    return names.filter((name) => name !== 'migration_lock.toml')
  }

  prisma(command: string, env: Environment = {}): Promise<Outcome> {
    return runPrisma(this.folder, command, env)
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Runs the Prisma CLI in a folder. It has no terminal to ask questions on. */
export function runPrisma(cwd: string, command: string, env: Environment): Promise<Outcome> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const options = { cwd, env: { PATH, NODE_COMPILE_CACHE, CHECKPOINT_DISABLE: '1', NO_COLOR: '1', ...env } }
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...command.split(' ')], options, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: stdout + stderr })
    })
  })
}
