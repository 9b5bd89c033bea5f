import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { urlOnServer } from '../../src/adapters/persistence-prisma/sharding/servers.ts'
import type { Ranges } from './remote-commands.ts'

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url))
const ROLES = 'postgresql/roles.sql'
/** What the owner runs after the migrations, in this order. */
const DISTRIBUTION = ['distribute', 'functions', 'decisions', 'shards'].map((name) => `citus/${name}.sql`)
const GRANTS = ['postgresql/grants.sql', 'citus/grants.sql'] as const

/** The move of a shard waits for good if no process is free to copy it. */
const STATEMENT_TIMEOUT_IN_MS = 90_000

/** SQLSTATE `object_in_use`. */
const OBJECT_IN_USE = '55006'
const MOST_DROPS = 6
/** Each drop waits for a checkpoint, which writes the files of all databases. Drops of the same moment share one. */
const DROPS_AT_ONCE = 8
/** On a busy machine a checkpoint takes minutes. */
const NO_TIMEOUT = 0

/** A server of the cluster. */
interface Node {
  readonly url: string
  readonly host: string
  readonly port: number
  /** Whether it is to have shards. */
  readonly hasShards: boolean
}

/** A Citus that is there. All databases and roles of a proof begin with one name, and go when the proof ends. */
export class Cluster {
  readonly version: string
  /** The coordinator is the first. */
  readonly nodes: readonly Node[]
  readonly prefix: string
  readonly template: string
  /** Those that `deploy/` names, for this proof alone. */
  readonly #roles: { readonly countersign_owner: string; readonly countersign_service: string }
  readonly #password = randomBytes(16).toString('hex')

  /** @param url leads to a database of the coordinator in which all nodes are known. @throws {Error} that says what it lacks. */
  static async at(url: string): Promise<Cluster> {
    const rows = await query<{ host: string; port: number; coordinator: boolean; shards: boolean }>(
      url,
      `SELECT nodename AS host, nodeport AS port, groupid = 0 AS coordinator, shouldhaveshards AS shards
       FROM pg_dist_node WHERE isactive AND noderole = 'primary' ORDER BY groupid, nodeid`,
    ).catch((error: unknown) => {
      throw new Error(`${withoutPassword(url)} is no database of a coordinator: ${String(error)}`)
    })
    const nodes = rows.map(
      ({ host, port, shards }): Node => ({
        url: urlOnServer({ host, port }, url),
        ...{ host, port, hasShards: shards },
      }),
    )
    if (!rows[0]?.coordinator) {
      throw new Error('The coordinator has no address of its own yet: SELECT citus_set_coordinator_host(…)')
    }
    const [{ version }] = (await query<{ version: string }>(url, 'SELECT citus_version() AS version')) as [
      { version: string },
    ]
    return new Cluster(version, nodes)
  }

  private constructor(version: string, nodes: readonly Node[]) {
    this.version = version
    this.nodes = nodes
    this.prefix = `countersign_proof_${process.pid}`
    this.template = `${this.prefix}_t`
    this.#roles = { countersign_owner: `${this.prefix}_owner`, countersign_service: `${this.prefix}_service` }
  }

  /** Makes the database that all others are copies of: with every migration, and distributed. */
  async layTemplate(): Promise<void> {
    const url = at(this.nodes[0]!.url, this.template)
    await this.#createDatabases(this.nodes, this.template)
    await this.#installCitus(this.template)
    await this.#createRoles(url)
    await this.#introduceRoles(this.template)
    await migrateDatabase(this.#as('countersign_owner', url))
    await this.#distribute(url)
    for (const { url: server } of this.nodes) {
      // A template may have no session, and Citus keeps one of its own in each database.
      await query(server, `ALTER DATABASE ${this.template} ALLOW_CONNECTIONS false`)
      await query(server, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
        this.template,
      ])
    }
  }

  /**
   * Distributes a database that was on one PostgreSQL until then. The last server joins afterwards.
   *
   * @param fill stores what the service had there.
   */
  async distributeExisting(name: string, fill: (url: string) => Promise<void>): Promise<string> {
    const database = `${this.prefix}_${name}`
    const [coordinator, ...others] = this.nodes as [Node, ...Node[]]
    const url = at(coordinator.url, database)
    await this.#createDatabases([coordinator], database)
    await this.#run(url, ROLES)
    await migrateDatabase(this.#as('countersign_owner', url))
    await this.#run(this.#as('countersign_owner', url), GRANTS[0])
    await fill(this.asService(url))
    await this.#createDatabases(others, database)
    const later = others.length > 1 ? others.slice(-1) : []
    await this.#installCitus(database, later)
    await this.#introduceRoles(database)
    await this.#distribute(url)
    for (const { host, port } of later) await query(url, 'SELECT citus_add_node($1, $2)', [host, port])
    await this.#grant(url)
    return url
  }

  /** What everybody may do on a server: to use the schema, and to run a function with the rights of its owner. */
  async rightsOfEverybody(url: string): Promise<string[]> {
    const database = new URL(url).pathname.slice(1)
    const found = await Promise.all(
      this.nodes.map(({ url: server }) =>
        query<{ granted: string }>(
          at(server, database),
          `SELECT current_setting('port') || ': ' || proname AS granted
           FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS granted
           WHERE pronamespace = 'public'::regnamespace AND prosecdef AND granted.grantee = 0
           UNION ALL
           SELECT current_setting('port') || ': schema public' FROM pg_namespace, aclexplode(nspacl) AS granted
           WHERE nspname = 'public' AND granted.grantee = 0`,
        ),
      ),
    )
    return found.flat().map(({ granted }) => granted)
  }

  async #createDatabases(nodes: readonly Node[], name: string): Promise<void> {
    await Promise.all(nodes.map(({ url }) => query(url, `CREATE DATABASE ${name}`)))
  }

  /** As its manual says, with all servers named but those that join later. */
  async #installCitus(database: string, later: readonly Node[] = []): Promise<void> {
    const [coordinator] = this.nodes as [Node]
    await Promise.all(this.nodes.map(({ url }) => query(at(url, database), 'CREATE EXTENSION citus')))
    const url = at(coordinator.url, database)
    await query(url, 'SELECT citus_set_coordinator_host($1, $2)', [coordinator.host, coordinator.port])
    for (const node of this.nodes.slice(1)) {
      if (!later.includes(node)) await query(url, 'SELECT citus_add_node($1, $2)', [node.host, node.port])
    }
    if (!coordinator.hasShards) {
      await query(url, `SELECT citus_set_node_property($1, $2, 'shouldhaveshards', false)`, [
        coordinator.host,
        coordinator.port,
      ])
    }
  }

  /** Citus takes a role to the other servers. */
  async #createRoles(url: string): Promise<void> {
    await this.#run(url, ROLES)
    for (const role of Object.values(this.#roles))
      await query(url, `ALTER ROLE ${role} PASSWORD '${this.#password}'`)
  }

  /** Citus has to know how a role connects from one server to another. */
  async #introduceRoles(database: string): Promise<void> {
    for (const { url } of this.nodes) {
      for (const role of Object.values(this.#roles)) {
        await query(at(url, database), 'INSERT INTO pg_dist_authinfo VALUES (0, $1, $2)', [
          ...[role, `password=${this.#password}`],
        ])
      }
    }
  }

  async #distribute(url: string): Promise<void> {
    for (const file of DISTRIBUTION) await this.#run(this.#as('countersign_owner', url), file)
    await this.#grant(url)
  }

  /** Once more after a server has joined. */
  async #grant(url: string): Promise<void> {
    await this.#run(url, ROLES)
    for (const file of GRANTS) await this.#run(this.#as('countersign_owner', url), file)
  }

  /** The URL of a database, for the service, which may do there what deploy/ grants it. */
  asService(url: string): string {
    return this.#as('countersign_service', url)
  }

  #as(role: 'countersign_owner' | 'countersign_service', url: string): string {
    const of = new URL(url)
    of.username = this.#roles[role]
    of.password = this.#password
    return of.href
  }

  /** Runs a file of `deploy/`, with the roles of this proof. */
  async #run(url: string, file: string): Promise<void> {
    const text = await readFile(`${DEPLOY}${file}`, 'utf8')
    await runStatements(
      url,
      Object.entries(this.#roles).reduce((sql, [named, role]) => sql.replaceAll(named, role), text),
    )
  }

  /** A distributed database, whose servers say each command that they send to another one. */
  async createDatabase(name: string): Promise<string> {
    const database = `${this.prefix}_${name}`
    await Promise.all(
      this.nodes.map(async ({ url }) => {
        await query(url, `CREATE DATABASE ${database} TEMPLATE ${this.template}`)
        await query(url, `ALTER DATABASE ${database} SET citus.log_remote_commands = on`)
      }),
    )
    return at(this.nodes[0]!.url, database)
  }

  /** Where the shards of a database are. All of them are copies, so each has the same. */
  async rangesOf(url: string): Promise<Ranges> {
    const rows = await query<{ shard: string; range: string }>(
      url,
      `SELECT shardid::text AS shard, colocationid || ':' || shardminvalue AS range
       FROM pg_dist_shard JOIN pg_dist_partition USING (logicalrelid) WHERE shardminvalue IS NOT NULL`,
    )
    return new Map(rows.map(({ shard, range }) => [shard, range]))
  }

  /**
   * Removes all databases of the proof and its roles, or the databases that test files made. Tries each of them before it throws, so that
   * nothing is under way any more.
   */
  async drop(which: 'all' | 'of test files'): Promise<void> {
    const pattern = which === 'all' ? `${this.prefix}\\_%` : `${this.template}\\_%`
    const drops = await Promise.allSettled(this.nodes.map(({ url }) => dropDatabases(url, pattern)))
    const failures = drops.flatMap((drop) => (drop.status === 'rejected' ? [drop.reason] : []))
    if (failures.length > 0) throw new AggregateError(failures, `could not drop databases: ${failures}`)
    if (which === 'of test files') return
    for (const { url } of this.nodes) {
      // Citus would take it to the other servers, where the role may be gone already.
      for (const role of Object.values(this.#roles))
        await query(url, `SET citus.enable_ddl_propagation = off; DROP ROLE IF EXISTS ${role}`)
    }
  }
}

async function dropDatabases(server: string, pattern: string): Promise<void> {
  const found = await query<{ name: string }>(
    server,
    'SELECT datname AS name FROM pg_database WHERE datname LIKE $1',
    [pattern],
  )
  const failures: unknown[] = []
  const names = found.values()
  const dropInTurn = async () => {
    for (const { name } of names) {
      await dropDatabase(server, name).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: DROPS_AT_ONCE }, dropInTurn))
  if (failures.length > 0) throw new AggregateError(failures, `${withoutPassword(server)}: ${failures}`)
}

/**
 * PostgreSQL ends the sessions of a database, and gives up if one is still there after five seconds. The maintenance daemon of Citus may
 * be, because it waits for another server, which drops its part of the database as well.
 */
async function dropDatabase(server: string, name: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, undefined, NO_TIMEOUT)
      return
    } catch (error) {
      if ((error as { code?: string }).code !== OBJECT_IN_USE || tries === MOST_DROPS) throw error
    }
  }
}

/** A statement of a file: whole comments, texts and bodies of functions, and anything else up to a semicolon. */
const STATEMENT = /(?:--[^\n]*|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$|[^;])+/g

/** As psql does it: Citus sends the text of some statements on, so each has to come alone. */
async function runStatements(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const [statement] of text.matchAll(STATEMENT)) {
      if (statement.replaceAll(/--[^\n]*/g, '').trim() !== '') await client.query(statement)
    }
  } finally {
    await client.end()
  }
}

/** Runs a statement and gives its rows. */
export async function query<Row extends object>(
  url: string,
  text: string,
  values?: readonly unknown[],
  statementTimeout = STATEMENT_TIMEOUT_IN_MS,
): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'countersign-proof',
    statement_timeout: statementTimeout,
  })
  await client.connect()
  try {
    return (await client.query<Row>(text, values && [...values])).rows
  } finally {
    await client.end()
  }
}

function at(url: string, database: string): string {
  const of = new URL(url)
  of.pathname = database
  return of.href
}

function withoutPassword(url: string): string {
  const of = new URL(url)
  of.password = ''
  return of.href
}
