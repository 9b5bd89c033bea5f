import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { pack } from 'tar-fs'
import { launchChromium } from '../../tools/pictures/chromium.ts'
import { packagedChromium } from '../../tools/pictures/packaged-chromium.ts'
import { inBrowser } from '../support/in-browser.ts'

const STARTS = '#!/bin/sh\nexit 0\n'
const LACKS_A_LIBRARY = '#!/bin/sh\nexit 127\n'

/** Not the folder for temporary files, which on some machines runs no programs. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

async function emptyFolder(t: ExecutionContext): Promise<string> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'countersign-chromium-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Archives as the package has them, of a program instead of a browser. */
async function archivesOf(t: ExecutionContext, program: string): Promise<URL> {
  const folder = await emptyFolder(t)
  await mkdir(join(folder, 'al2023', 'lib'), { recursive: true })
  await writeFile(join(folder, 'al2023', 'lib', 'libnss3.so'), 'a library')
  const libraries = await buffer(pack(join(folder, 'al2023')))
  await writeFile(join(folder, 'al2023.tar.br'), brotliCompressSync(libraries))
  await writeFile(join(folder, 'chromium.br'), brotliCompressSync(program))
  return pathToFileURL(`${folder}/`)
}

test('processes that unpack the browser at the same time end up with one, and leave nothing else', async (t) => {
  const archives = await archivesOf(t, STARTS)
  const caches = await emptyFolder(t)
  const place = join(caches, 'countersign', 'chromium-1')

  const unpacked = await Promise.all(
    Array.from({ length: 8 }, () => packagedChromium(archives, [() => place])),
  )

  for (const each of unpacked) {
    t.deepEqual(each, { executablePath: join(place, 'chromium'), libraries: undefined })
  }
  t.is(await readFile(join(place, 'chromium'), 'utf8'), STARTS)
  t.deepEqual(await readdir(join(caches, 'countersign')), ['chromium-1'])
})

test('a browser that is unpacked is not unpacked again', async (t) => {
  const place = join(await emptyFolder(t), 'chromium-1')
  const { executablePath } = await packagedChromium(await archivesOf(t, STARTS), [() => place])
  const { mtimeMs } = await stat(executablePath)

  await packagedChromium(new URL('file:///nowhere/'), [() => place])

  t.is((await stat(executablePath)).mtimeMs, mtimeMs)
})

test('other users of the machine may run the browser that one of them has unpacked', async (t) => {
  const place = join(await emptyFolder(t), 'chromium-1')

  const { executablePath } = await packagedChromium(await archivesOf(t, STARTS), [() => place])

  t.is((await stat(place)).mode & 0o777, 0o755)
  t.is((await stat(executablePath)).mode & 0o555, 0o555)
})

test('a place that takes no files, or runs none, is passed over for the next', async (t) => {
  const folder = await emptyFolder(t)
  await writeFile(join(folder, 'no-folder'), '')
  const [taken, next] = [join(folder, 'no-folder', 'chromium-1'), join(folder, 'next')]
  const archives = await archivesOf(t, STARTS)

  const { executablePath } = await packagedChromium(archives, [() => taken, () => next])
  t.is(executablePath, join(next, 'chromium'))

  await chmod(executablePath, 0o644)
  const after = await packagedChromium(archives, [() => next, () => join(folder, 'last')])
  t.is(after.executablePath, join(folder, 'last', 'chromium'))
})

test('a browser that no place takes is an error with the reason of each', async (t) => {
  const folder = await emptyFolder(t)
  const places = [() => join(folder, 'a'), () => join(folder, 'b')]

  const error = await t.throwsAsync(packagedChromium(new URL('file:///nowhere/'), places), {
    instanceOf: AggregateError,
  })

  t.is((error as AggregateError).errors.length, 2)
  t.deepEqual(await readdir(folder), [])
})

test("on a machine without the browser's libraries it gets those of the package", async (t) => {
  const place = join(await emptyFolder(t), 'chromium-1')

  const { libraries } = await packagedChromium(await archivesOf(t, LACKS_A_LIBRARY), [() => place])

  t.is(libraries, join(place, 'lib'))
  t.is(await readFile(join(libraries!, 'libnss3.so'), 'utf8'), 'a library')
})

/** Fontconfig is of Linux. */
const onLinux: typeof inBrowser = process.platform === 'linux' ? inBrowser : test.skip

onLinux('pages are set in the fonts of npm, in every alphabet of our languages', async (t) => {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.setContent(`
    <p style='font: 1rem -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif'>Überweisung → ✓ مبلغ</p>
    <p style="font: 1rem ui-monospace, Menlo, Consolas, monospace">042917</p>`)
  const session = await page.context().newCDPSession(page)
  await session.send('DOM.enable')
  await session.send('CSS.enable')
  const { root } = await session.send('DOM.getDocument')
  const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: 'p' })

  const used = await Promise.all(
    nodeIds.map((nodeId) => session.send('CSS.getPlatformFontsForNode', { nodeId })),
  )

  t.deepEqual(
    used.map(({ fonts }) => fonts.map(({ familyName }) => familyName).toSorted()),
    [['DejaVu Sans', 'Open Sans'], ['DejaVu Sans Mono']],
  )
})
