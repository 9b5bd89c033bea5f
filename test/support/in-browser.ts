import test, { type ExecutionContext } from 'ava'
import type { Locator, Page } from 'playwright-core'
import { whyNoChromium } from '../../tools/pictures/chromium.ts'

/** Why tests of pages cannot run here. In CI a missing browser is a failure, so there they always run. */
export const whyNoPages = process.env.CI ? undefined : whyNoChromium()

/** A test of a page; those of a file run one by one. Without a browser it is skipped, and its title says why. */
export function inBrowser(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (whyNoPages) test.serial.skip(`${title} (${whyNoPages})`, run)
  else test.serial(title, run)
}

/** What readers set in their browser: the font of pages that name none they have, and the size of its letters. */
export interface ReaderSettings {
  readonly font: 'Open Sans' | 'DejaVu Sans'
  readonly sizeInPixels: 16 | 32
}

/** DejaVu Sans is the widest of the common fonts. Letters twice as large are those of WCAG 1.4.4. */
export const WIDE_FONT: ReaderSettings = { font: 'DejaVu Sans', sizeInPixels: 16 }
export const LARGE_LETTERS: ReaderSettings = { font: 'Open Sans', sizeInPixels: 32 }
export const WIDE_AND_LARGE: ReaderSettings = { font: 'DejaVu Sans', sizeInPixels: 32 }

/** Sets up the browser of one page, before anything is shown in it. */
export async function setUpReader(page: Page, { font, sizeInPixels }: ReaderSettings): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Page.setFontFamilies', { fontFamilies: { sansSerif: font } })
  await session.send('Page.setFontSizes', { fontSizes: { standard: sizeInPixels } })
}

export function fontSize(element: Locator): Promise<number> {
  return element.evaluate((each) =>
    Number.parseFloat(each.ownerDocument.defaultView!.getComputedStyle(each).fontSize),
  )
}

/** The size of letters that a page starts from, in pixels. */
export function letterSize(page: Page): Promise<number> {
  return fontSize(page.locator('html'))
}

/**
 * The elements that need more width than they have, in every frame and shadow root of the page: a reader has to scroll
 * sideways for them. Fields scroll, and some text is shortened on purpose.
 */
export async function tooWide(page: Page): Promise<string[]> {
  const found = await Promise.all(
    page.frames().map((frame) =>
      frame.locator('*').evaluateAll((elements) =>
        elements
          .filter(
            (each) =>
              each.clientWidth > 0 &&
              // Either may be rounded.
              each.scrollWidth > each.clientWidth + 1 &&
              !each.matches('input') &&
              each.ownerDocument.defaultView!.getComputedStyle(each).textOverflow !== 'ellipsis',
          )
          .map((each) => `${each.localName} ${each.id}: ${each.scrollWidth} in ${each.clientWidth}`),
      ),
    ),
  )
  return found.flat()
}
