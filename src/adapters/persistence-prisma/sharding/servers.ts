import type pg from 'pg'

/** A server of a Citus cluster. */
export interface Server {
  /** Where it answers, as Citus knows it. */
  readonly host: string
  readonly port: number
  /** The same on all servers of one cluster, and on no other. */
  readonly cluster: string
}

/** The URL of a database, on another server. */
export function urlOnServer({ host, port }: Pick<Server, 'host' | 'port'>, url: string): string {
  const on = new URL(url)
  // They would win over those of the authority.
  on.searchParams.delete('host')
  on.searchParams.delete('port')
  on.host = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return on.href
}

/** The name that Citus has for a server may lead to another one from here. @throws {Error} if it does. */
export async function assertOfCluster(client: Pick<pg.Client, 'query'>, cluster: string): Promise<void> {
  const { rows } = await client.query<{ cluster: string }>('SELECT cluster_id() AS cluster')
  if (rows[0]?.cluster !== cluster) throw new Error('the server is of another cluster')
}
