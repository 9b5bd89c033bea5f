import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { isChromiumPackaged, packagedChromium } from './packaged-chromium.ts'

const FONTS = fileURLToPath(new URL('fonts.conf', import.meta.url))

/**
 * Starts a Chromium that makes no requests of its own: the one named in CHROMIUM, one on the PATH, or on Linux the one
 * that npm installs. On Linux its fonts come from npm too.
 *
 * @throws {Error} if no Chromium is installed.
 */
export async function launchChromium(): Promise<Browser> {
  const missing = whyNoChromium()
  if (missing) throw new Error(missing)
  const executablePath = installedChromium()
  const { libraries, ...found } = executablePath
    ? { executablePath, libraries: undefined }
    : await packagedChromium()
  return chromium.launch({
    ...found,
    env: {
      ...process.env,
      FONTCONFIG_FILE: FONTS,
      ...(libraries && {
        LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
      }),
    },
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  })
}

/** Why this machine has no Chromium, as a message for its user. Undefined if it has one. */
export function whyNoChromium(): string | undefined {
  return installedChromium() || isChromiumPackaged
    ? undefined
    : `npm brings no Chromium for ${process.platform} on ${process.arch}: put one on the PATH, or name it in CHROMIUM`
}

/** The path of Chromium, from CHROMIUM or the PATH. Undefined if no Chromium is installed. */
function installedChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
  const folders = process.env.PATH?.split(delimiter) ?? []
  const paths = [
    process.env.CHROMIUM,
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
  ]
  return paths.find((path) => path && existsSync(path))
}
