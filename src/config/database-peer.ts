import type { Environment } from './environment.ts'
import { isLoopback } from './loopback.ts'

/** Where a connection to the database goes, and how it is protected. */
interface DatabasePeer {
  /** Whether it leaves this machine. A Unix socket does not. */
  readonly remote: boolean
  /** Whether it is encrypted to a server whose certificate is checked. */
  readonly verified: boolean
}

/**
 * Judges a URL as node-postgres uses it, which differs from libpq: `sslmode=require` checks the certificate, unless
 * `uselibpqcompat=true`. Without a host or an SSL parameter in the URL, PGHOST and PGSSLMODE count. A test compares this with a client of
 * node-postgres. Undefined if the text is no URL of a PostgreSQL.
 */
export function databasePeer(text: string, env: Environment): DatabasePeer | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['postgresql:', 'postgres:'].includes(url.protocol)) return undefined
  const options: Environment = Object.fromEntries(url.searchParams)
  const host = options.host || decoded(url.hostname) || env.PGHOST || 'localhost'
  return { remote: !host.startsWith('/') && !isLoopback(host), verified: isVerified(options, env) }
}

function isVerified(options: Environment, env: Environment): boolean {
  const { ssl, sslmode, sslrootcert, sslcert, sslkey, sslnegotiation, uselibpqcompat } = options
  if (!sslmode && !sslrootcert && !sslcert && !sslkey) {
    if (ssl !== undefined) return ssl === 'true' || ssl === '1'
    return (
      sslnegotiation === 'direct' || /^(?:prefer|require|verify-ca|verify-full)$/.test(env.PGSSLMODE ?? '')
    )
  }
  switch (sslmode) {
    case 'disable':
    case 'no-verify':
      return false
    case 'prefer':
      return uselibpqcompat !== 'true'
    // With the certificate of an authority, libpq checks against it, as for verify-ca.
    case 'require':
      return uselibpqcompat !== 'true' || Boolean(sslrootcert)
    default:
      return true
  }
}

function decoded(hostname: string): string {
  try {
    return decodeURIComponent(hostname)
  } catch {
    return hostname
  }
}
