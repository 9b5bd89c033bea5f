/** Where a setting comes from, as `pg_settings` has it. */
interface ReadOnlySource {
  readonly source: string
  readonly role: string
  readonly database: string
}

/** A read-only session lets nobody change this, so it has to become writable itself first. */
const WRITABLE = 'SET default_transaction_read_only = off;'
const READ_ONLY_BY_SERVER =
  'ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); or take it out of postgresql.conf or the command line of the server'
const READ_ONLY_BY: Readonly<Record<string, (role: string, database: string) => string>> = {
  database: (_, database) => `${WRITABLE} ALTER DATABASE ${database} RESET default_transaction_read_only;`,
  user: (role) => `${WRITABLE} ALTER ROLE ${role} RESET default_transaction_read_only;`,
  'database user': (role, database) =>
    `${WRITABLE} ALTER ROLE ${role} IN DATABASE ${database} RESET default_transaction_read_only;`,
  client: () => 'Take default_transaction_read_only out of DATABASE_URL',
}

/**
 * All remedies for what the diagnosis of the database finds. A test follows each of them, and sees that the diagnosis is then content
 * (test/adapters/persistence-prisma/database-remedies.test.ts).
 */
export const DATABASE_REMEDIES = {
  unreachable:
    'Check host and port in DATABASE_URL, and that the server runs and is reachable from here; behind a pooler, that the pooler reaches the server',
  hostName: 'Check the host in DATABASE_URL: its name has no address here',
  credentials:
    'Check user and password in DATABASE_URL (percent-encoded), and their rules in pg_hba.conf; behind PgBouncer, also in its auth_file',
  missingDatabase: 'countersign migrate creates and fills it',
  connectPrivilege: 'GRANT CONNECT ON the database TO the role of DATABASE_URL',
  maxConnections: 'Raise max_connections, or run fewer processes: each takes up to 14 connections',
  starting: 'Wait until the server has started or recovered; its log says what it does',
  noEncryption:
    'Turn on TLS at the server, or at the pooler in between; or remove sslmode from DATABASE_URL if the connection stays on this machine',
  encryption: 'Add sslmode=verify-full to DATABASE_URL, and sslrootcert=<file> for a private authority',
  untrusted:
    'Trust the authority of its certificate with sslrootcert=<file> in DATABASE_URL, and use the host name in the certificate',

  sharded: 'DATABASE_SHARDING=citus; or take the tables back with deploy/citus/undistribute.sql',
  unsharded: 'DATABASE_SHARDING=none; or spread the tables with deploy/citus/distribute.sql',
  functions: 'Run deploy/citus/functions.sql, decisions.sql, shards.sql and grants.sql on the coordinator',
  copies: 'Run deploy/citus/shards.sql on the coordinator',
  servers:
    'Let the service reach each server by the name and port that Citus has for it (pg_dist_node), with the role and the password of DATABASE_URL (pg_hba.conf)',
  betweenServers:
    'See the log of the coordinator; give Citus the password of the role on each server (pg_dist_authinfo), and admit the role from the other servers (pg_hba.conf)',
  rightsOfServers:
    'On the coordinator, run deploy/postgresql/roles.sql as a superuser, then both grants.sql as the owner',
  standby:
    'Let DATABASE_URL lead to the primary, through a proxy that follows it (deploy/high-availability/haproxy.cfg); if the primary is lost, promote a standby',
  readOnly: ({ source, role, database }: ReadOnlySource) =>
    READ_ONLY_BY[source]?.(role, database) ?? READ_ONLY_BY_SERVER,
  asynchronous:
    'Name a standby in synchronous_standby_names, with Patroni by synchronous_mode; otherwise run deploy/postgresql/after-restore.sql after each fail-over',
  localCommit: (role: string) =>
    `ALTER ROLE ${role} RESET synchronous_commit; or set it to on where else it is set: for the database, in postgresql.conf, or in DATABASE_URL`,
  missingStandby:
    'Start the standbys that synchronous_standby_names asks for, or take it back if they are lost and you accept that one server has everything',
  laggingStandby:
    'See what slows down the disk of the standby, or the network to it; or let another standby be the synchronous one',

  startupParameters: (parameters: readonly string[]) =>
    `If there is a PgBouncer in between, in any pool_mode: ignore_startup_parameters = ${parameters.join(', ')}; or add pgbouncer=true to DATABASE_URL`,
  poolerDatabase: 'Add the database of DATABASE_URL to [databases] in pgbouncer.ini',
  poolerConnections: 'Raise max_client_conn in pgbouncer.ini: each process opens up to 14 connections',
  poolSize: 'Raise default_pool_size in pgbouncer.ini, with pool_mode = session to 14 for each process',
  poolerServer: 'Check host, port, user and password of the database in [databases] of pgbouncer.ini',
  poolMode: 'pool_mode = transaction or pool_mode = session in pgbouncer.ini: the service needs transactions',
  preparedStatements:
    'Add pgbouncer=true to DATABASE_URL; or use PgBouncer 1.21 or later with max_prepared_statements = 200, or pool_mode = session',
  timeLimits: (role: string, parameters: readonly string[]) =>
    `${parameters.map((parameter) => `ALTER ROLE ${role} SET ${parameter} = '${parameter === 'lock_timeout' ? 1 : 5}s';`).join(' ')} Then restart the pooler, or RECONNECT in its console`,
  noPooler: 'Remove pgbouncer=true from DATABASE_URL: nothing is in between that would need it',

  version: 'Upgrade to PostgreSQL 18, with which the service is tested',
  clock:
    'Let a time service set the clocks of both machines (chrony, systemd-timesyncd): they decide when codes and challenges expire',
  privileges: (role: string, missing: readonly { privileges: readonly string[]; object: string }[]) =>
    missing
      .map(({ privileges, object }) => `GRANT ${privileges.join(', ')} ON ${object} TO ${role};`)
      .join(' '),
  surplusPrivileges: (role: string, surplus: readonly { privileges: readonly string[]; object: string }[]) =>
    surplus
      .map(({ privileges, object }) => `REVOKE ${privileges.join(', ')} ON ${object} FROM ${role};`)
      .join(' '),
  functionOwner: (owner: string, name: string) => `ALTER FUNCTION ${name} OWNER TO ${owner};`,
  superuser:
    'Give the service its own role that owns nothing, and use another role for countersign migrate (deploy/postgresql/roles.sql and grants.sql)',

  failedMigration:
    'Repair by hand what the migration left behind, then run npx prisma migrate resolve in a checkout',
  pendingMigrations: 'countersign migrate',
  newerVersion: 'Run that version here too, unless a roll-out is in progress',
  outbox:
    'Check that a process delivers mails (countersign serve or deliver), and read the lines "mail attempt" in its log',
  log: 'See the log of the PostgreSQL server, and of a pooler in between, at this time',
} as const
