import type { ExecutionContext } from 'ava'
import { missingDatabaseUrl, query } from '../support/database.ts'
import { ScratchProject } from './scratch-project.ts'

const MODELS = `
model Author {
  id    Int    @id
  name  String
  books Book[]
}
model Book {
  id       Int    @id
  authorId Int
  author   Author @relation(fields: [authorId], references: [id])
}
`
/** The migration that leads to the models. */
export const LIBRARY_TABLES = `
CREATE TABLE "Author" ("id" INTEGER NOT NULL, "name" TEXT NOT NULL, CONSTRAINT "Author_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Book" ("id" INTEGER NOT NULL, "authorId" INTEGER NOT NULL, CONSTRAINT "Book_pkey" PRIMARY KEY ("id"));
ALTER TABLE "Book" ADD CONSTRAINT "Book_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "Author"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
`

/** Compares the database with the models. */
export const DIFF = 'migrate diff --from-config-datasource --to-schema schema.prisma --exit-code'

/** A project with the models of a library, with the migration if there is one, and a name for a database to come. */
export async function library(t: ExecutionContext, migration?: string) {
  const project = await ScratchProject.create(MODELS)
  t.teardown(() => project.remove())
  if (migration) await project.writeMigration('1_library', migration)
  const url = missingDatabaseUrl()
  return { project, url, env: { DATABASE_URL: url } }
}

export async function tables(url: string): Promise<string[]> {
  const rows = await query(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
  return (rows as { tablename: string }[]).map(({ tablename }) => tablename)
}
