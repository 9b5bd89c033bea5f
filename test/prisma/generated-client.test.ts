import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { runPrisma } from './scratch-project.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const GENERATED = 'src/adapters/persistence-prisma/generated'

test('the client that is committed is what Prisma generates from the schema', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-client-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  // The client goes where the schema says, seen from the schema.
  await mkdir(join(folder, 'prisma'))
  await copyFile(join(PROJECT, 'prisma/schema.prisma'), join(folder, 'prisma/schema.prisma'))
  await writeFile(
    join(folder, 'prisma.config.ts'),
    `export { default } from ${JSON.stringify(join(PROJECT, 'prisma.config.ts'))}\n`,
  )

  const { status, output } = await runPrisma(folder, 'generate', {})

  t.is(status, 0, output)
  const committed = await filesIn(join(PROJECT, GENERATED))
  const generated = await filesIn(join(folder, GENERATED))
  t.deepEqual([...committed.keys()], [...generated.keys()], 'npm run client:generate')
  for (const [path, content] of generated) {
    // Not `is`, which would print all of both.
    t.true(committed.get(path) === content, `${path} differs: npm run client:generate`)
  }
})

async function filesIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  const files = await Promise.all(
    paths
      .toSorted()
      .map(async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const),
  )
  return new Map(files)
}
