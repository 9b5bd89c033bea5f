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
  functions: 'Run deploy/citus/functions.sql, decisions.sql and grants.sql on the coordinator',

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
