import { databasePeer } from './database-peer.ts'
import type { Environment } from './environment.ts'

/** Refuses connections on which somebody in between can listen or answer. The formats of the other URLs refuse theirs. */
export function unprotectedPeers(env: Environment): readonly string[] {
  if (env.NODE_ENV !== 'production') return []
  const problems = [...unprotectedDatabase(env)]
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    problems.push(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0, so no certificate of any peer would be checked: unset it, and name the certificates of a private authority in NODE_EXTRA_CA_CERTS',
    )
  }
  return problems
}

/** Refuses a database on another machine whose certificate nobody checks, unless the operator has said that this is meant. */
export function unprotectedDatabase(env: Environment): readonly string[] {
  const peer = databasePeer(env.DATABASE_URL ?? '', env)
  if (!peer?.remote || peer.verified || env.DATABASE_TLS === 'unverified') return []
  return [
    'DATABASE_URL leads to another machine without TLS that checks the certificate: add sslmode=verify-full to it, and sslrootcert=<file> for a private authority; or set DATABASE_TLS=unverified if nobody else can listen or answer on that network',
  ]
}
