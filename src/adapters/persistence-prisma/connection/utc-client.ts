import pg from 'pg'

/** What node-postgres sends at the start of a connection. Its types do not declare it. */
interface StartsConnections {
  getStartupConf(): Record<string, string>
}

const startupOf = (pg.Client.prototype as unknown as StartsConnections).getStartupConf

/**
 * Starts each session in UTC, because Prisma's adapter writes a time without its zone, and drops the zone of a time that it reads
 * (prisma/orm, issues 26786 and 28629). A server otherwise has the zone of the machine that it was set up on. PgBouncer passes this
 * parameter on, and keeps it for each client in transaction mode too.
 */
export class UtcClient extends pg.Client implements StartsConnections {
  getStartupConf(): Record<string, string> {
    return { ...startupOf.call(this as unknown as StartsConnections), TimeZone: 'UTC' }
  }
}
