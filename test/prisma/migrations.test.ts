import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createTestDatabase } from '../support/database.ts'
import { runPrisma } from './scratch-project.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

test('the migrations lead to what schema.prisma says', async (t) => {
  const { url } = await createTestDatabase()

  const diff = await runPrisma(
    PROJECT,
    'migrate diff --from-config-datasource --to-schema prisma/schema.prisma --exit-code',
    { DATABASE_URL: url },
  )

  t.is(diff.status, 0, diff.output)
})
