import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HtmlOtpMailComposer } from '../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { mailContent } from '../../src/adapters/mail-smtp/mail-content.ts'
import { smtpSender } from '../../src/adapters/mail-smtp/smtp-sender.ts'
import type { OtpNotice } from '../../src/application/ports/otp-mail-composer.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { launchChromium } from '../pictures/chromium.ts'
import { ROUNDCUBE, washed, whyNoRoundcube } from './roundcube/roundcube.ts'

/*
 * Takes pictures of the mail in other people's mail programs, for docs/mail.md. It needs Debian's packages thunderbird, xvfb, xdotool,
 * imagemagick, fonts-noto-core, roundcube-core and php-cli, or leaves out the program that is missing.
 */

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const PROGRAMS = { reader: 'thunderbird', display: 'Xvfb', windows: 'xdotool', camera: 'import' }
const SENDER = 'Example Bank <no-reply@bank.example>'
const RECIPIENT = EmailAddress.parse('alice@example.com')
const SENT = new Date('2030-01-01T12:00:00Z')
const [WIDTH, HEIGHT] = [860, 1220]

const ENGLISH: OtpNotice = {
  code: '042917',
  reference: 'QK',
  summary: [
    { label: 'Amount', value: 'EUR 1,250.00' },
    { label: 'To', value: 'ACME GmbH' },
    { label: 'Account', value: 'DE89 3704 0044 0532 0130 00' },
    { label: 'Reference', value: 'Invoice 2030-0017' },
  ],
  issuedAt: SENT,
  expiresAt: new Date('2030-01-01T12:05:00Z'),
  displayName: 'Alice Smith',
}
const ARABIC: OtpNotice = {
  ...ENGLISH,
  locale: 'ar',
  displayName: 'ليلى حداد',
  summary: [
    { label: 'المبلغ', value: '1,250.00 EUR' },
    { label: 'المستفيد', value: 'شركة النور للتجارة' },
    { label: 'رقم الحساب', value: 'DE89 3704 0044 0532 0130 00' },
  ],
}

const composer = new HtmlOtpMailComposer({
  brand: { name: 'Example Bank', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
  appHost: undefined,
})

/** No account, no network, no questions at the first start. */
const PREFERENCES = {
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
  'mail.accounthub.enabled': false,
  'mail.accountmanager.accounts': 'account1',
  'mail.accountmanager.localfoldersserver': 'server1',
  'mail.account.account1.server': 'server1',
  'mail.openMessageBehavior': 0,
  'mail.provider.suppress_dialog_on_startup': true,
  'mail.rights.version': 1,
  'mail.server.server1.directory-rel': '[ProfD]Mail/Local Folders',
  'mail.server.server1.hostname': 'Local Folders',
  'mail.server.server1.name': 'Local Folders',
  'mail.server.server1.type': 'none',
  'mail.server.server1.userName': 'nobody',
  'mail.shell.checkDefaultClient': false,
  'mailnews.start_page.enabled': false,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.type': 1,
}

for (const [name, notice, isDark] of [
  ['reader-thunderbird-light', ENGLISH, false],
  ['reader-thunderbird-dark', ENGLISH, true],
  ['reader-thunderbird-right-to-left', ARABIC, false],
] as const) {
  const missing = Object.values(PROGRAMS).filter((program) => !isInstalled(program))
  if (missing.length > 0) console.log(`${name}: no picture, ${missing.join(' and ')} is not installed`)
  else await takeInThunderbird(name, notice, isDark)
}
if (whyNoRoundcube) console.log(`Roundcube: no picture, ${whyNoRoundcube}`)
else {
  await takeInRoundcube('reader-roundcube', ENGLISH)
  await takeInRoundcube('reader-roundcube-right-to-left', ARABIC)
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

async function takeInThunderbird(name: string, notice: OtpNotice, isDark: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-reader-'))
  const display = await startDisplay()
  try {
    const letter = composer.compose(notice)
    const mail = join(folder, 'mail.eml')
    const id = `<${name}@bank.example>`
    await writeFile(mail, mailContent(smtpSender(SENDER))({ id: name, to: RECIPIENT, ...letter }, id, SENT))
    await mkdir(join(folder, 'profile'))
    const preferences = {
      ...PREFERENCES,
      'extensions.activeThemeID': `thunderbird-compact-${isDark ? 'dark' : 'light'}@mozilla.org`,
      'ui.systemUsesDarkTheme': Number(isDark),
    }
    await writeFile(
      join(folder, 'profile', 'user.js'),
      Object.entries(preferences)
        .map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`)
        .join(''),
    )
    const environment = { ...process.env, HOME: folder, DISPLAY: display.name, TZ: 'UTC' }
    const thunderbird = spawn(PROGRAMS.reader, ['--no-remote', '--profile', join(folder, 'profile'), mail], {
      env: environment,
      stdio: 'ignore',
    })
    try {
      await windowOf(letter.subject, environment)
      await writeFile(join(FOLDER, `${name}.png`), await stillPicture(environment))
    } finally {
      await end(thunderbird)
    }
  } finally {
    await end(display.process)
    await rm(folder, { recursive: true, force: true })
  }
}

async function startDisplay() {
  const server = spawn(
    PROGRAMS.display,
    ['-displayfd', '1', '-screen', '0', `${WIDTH}x${HEIGHT}x24`, '-nolisten', 'tcp'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const [number] = await once(server.stdout, 'data')
  return { name: `:${String(number).trim()}`, process: server }
}

/** Waits for the window of the mail, and makes it fill the screen. */
async function windowOf(subject: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = spawnSync(PROGRAMS.windows, ['search', '--onlyvisible', '--name', '.+'], {
      env,
      encoding: 'utf8',
    })
    for (const window of stdout.split('\n').filter(Boolean)) {
      const title = spawnSync(PROGRAMS.windows, ['getwindowname', window], { env, encoding: 'utf8' }).stdout
      if (!title.startsWith(subject)) continue
      spawnSync(
        PROGRAMS.windows,
        ['windowmove', window, '0', '0', 'windowsize', window, `${WIDTH}`, `${HEIGHT}`],
        {
          env,
        },
      )
      return
    }
    await wait(500)
  }
  throw new Error('Thunderbird did not open the mail')
}

/** A picture of the screen, once nothing has moved for some seconds. */
async function stillPicture(env: NodeJS.ProcessEnv): Promise<Buffer> {
  const picture = () =>
    spawnSync(PROGRAMS.camera, ['-window', 'root', '-colors', '128', '+dither', '-strip', 'png8:-'], {
      env,
      maxBuffer: 64 * 2 ** 20,
    }).stdout
  let [before, unchanged] = [picture(), 0]
  while (unchanged < 4) {
    await wait(1500)
    const now = picture()
    unchanged = now.equals(before) ? unchanged + 1 : 0
    before = now
  }
  return before
}

async function end(child: ReturnType<typeof spawn>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** Roundcube's own washing and its own style sheets, in Chromium. The page around the mail is cut down to the header of a message. */
async function takeInRoundcube(name: string, notice: OtpNotice): Promise<void> {
  const { subject, html } = composer.compose(notice)
  const [mail] = washed([html])
  const skin = join(ROUNDCUBE, 'skins', 'elastic')
  const sheets = [join(skin, 'deps', 'bootstrap.min.css'), join(skin, 'styles', 'styles.min.css')]
  const styles = await Promise.all(sheets.filter(existsSync).map((sheet) => readFile(sheet, 'utf8')))
  const browser = await launchChromium()
  try {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 600 } })
    await page.route('**/*', (route) => route.abort())
    await page.setContent(`<!doctype html><html lang="en"><head>
${styles.map((sheet) => `<style>${sheet.replaceAll('</', '')}</style>`).join('\n')}
</head><body class="task-mail action-show"><div id="layout-content" class="selected"><div class="content frame-content">
<div id="message-header"><h2 class="subject"></h2><div class="header"><div class="header-content"><div class="header-summary">
<span>From <b>Example Bank</b> on 2030-01-01 12:00</span></div></div></div></div>
<div id="message-content"><div class="rightcol"><div id="messagebody">${mail}</div></div></div></div></div></body></html>`)
    await page.locator('h2.subject').evaluate((heading, text) => {
      heading.textContent = text
    }, subject)
    // The page of Roundcube scrolls inside of itself.
    await page.addStyleTag({
      content:
        'html, body, #layout-content, .content { height: auto !important; overflow: visible !important }',
    })
    await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: true })
  } finally {
    await browser.close()
  }
}
