import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { query } from './database.ts'

/** A role of its own, because roles are the server's. Returns its name and the URL with which it connects. */
export async function createRole(t: ExecutionContext, url: string): Promise<{ role: string; url: string }> {
  const role = `role_${randomUUID().replaceAll('-', '')}`
  await query(
    url,
    `CREATE ROLE ${role} LOGIN PASSWORD 'pass-of-the-role'`,
    // On a Citus (`npm run citus:prove`), deploy/postgresql/roles.sql has taken it from everybody.
    `GRANT USAGE ON SCHEMA public TO ${role}`,
  )
  t.teardown(async () => {
    await query(url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`)
  })
  const own = new URL(url)
  own.username = role
  own.password = 'pass-of-the-role'
  return { role, url: own.href }
}
