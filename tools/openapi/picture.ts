import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import type { Page } from 'playwright-core'
import { documentationRoutes } from '../../src/adapters/http-koa/documentation/routes.ts'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import { launchChromium } from '../pictures/chromium.ts'

/*
 * Takes the picture of the page at `/docs`. Fails if the page does not show the document, sends a request to another
 * host, or violates its content security policy.
 */

/** The index of the operation that the picture shows. */
const VERIFY = 1
const PICTURE = fileURLToPath(new URL('../../docs/pictures/api.png', import.meta.url))

const server = createHttpServer([documentationRoutes()], new InFlightRequests(), pino({ level: 'silent' }))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const browser = await launchChromium()
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 1300 } })
  const faults = await watch(page)
  await page.goto(`${origin}/docs`)
  const summaries = page.locator('.opblock-summary-control')
  await summaries.first().waitFor()
  const operations = await summaries.count()
  console.log(`${operations} operations shown`)
  for (let n = 0; n < operations; n++) {
    await summaries.nth(n).click()
    await page.locator('.opblock.is-open .responses-table').waitFor()
    if (n === VERIFY) await page.screenshot({ path: PICTURE })
    await summaries.nth(n).click()
  }
  await trySomething(page)
  if (faults.length > 0) throw new Error(faults.join('\n'))
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
}

/** Sends a request from the page, as a reader may. */
async function trySomething(page: Page): Promise<void> {
  await page.locator('#operations-Documentation-showApi .opblock-summary-control').click()
  await page.getByRole('button', { name: 'Try it out' }).click()
  await page.getByRole('button', { name: 'Execute' }).click()
  await page.locator('.live-responses-table', { hasText: '200' }).waitFor()
}

/** Collects everything that the page must not do. Blocks requests to other hosts. */
async function watch(page: Page): Promise<string[]> {
  const faults: string[] = []
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(`${origin}/`) || url.startsWith('data:')) return route.continue()
    faults.push(`requests ${url}`)
    return route.abort()
  })
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`says: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`fails: ${error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`gets ${response.status()} for ${response.url()}`)
  })
  return faults
}
