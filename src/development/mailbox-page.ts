import { createHash } from 'node:crypto'
import type { MailboxMessage } from './mailbox.ts'
import { MAILBOX } from './paths.ts'

/** What the page shows. It is in the page's URL, so that a reload keeps it. */
export interface MailboxView {
  readonly to: string | undefined
  /** Undefined: the newest mail. */
  readonly id: string | undefined
  readonly asText: boolean
}

const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #1b2127); --desk: light-dark(#eef1f4, #12161a); --line: light-dark(#d6dce2, #39434d);
  --ink: light-dark(#1b2128, #e6eaee); --quiet: light-dark(#57626e, #a3afba); --mark: light-dark(#0b5fff, #7fb0ff);
  --chosen: light-dark(#e4edff, #223049);
}
* { box-sizing: border-box }
body {
  margin: 0; height: 100vh; display: grid; grid-template-columns: minmax(16rem, 22rem) minmax(0, 1fr);
  background: var(--desk); color: var(--ink);
  font: .9375rem/1.45 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
h1, h2, p, dl, dd, ol { margin: 0; padding: 0 }
a { color: inherit; text-decoration: none }
a:focus-visible, input:focus-visible { outline: 2px solid var(--mark); outline-offset: -2px }
time, .quiet { color: var(--quiet); font-size: .8125rem }
.list { display: flex; flex-direction: column; min-height: 0; background: var(--paper); border-inline-end: 1px solid var(--line) }
.list header { padding: 18px 18px 14px; border-bottom: 1px solid var(--line) }
.list h1 { font-size: 1.125rem }
.list input {
  width: 100%; margin-top: 12px; padding: 8px 10px; font: inherit; color: inherit;
  background: var(--desk); border: 1px solid var(--line); border-radius: 6px;
}
.list ol { list-style: none; overflow-y: auto; flex: 1 }
.list li a { display: block; padding: 12px 18px; border-bottom: 1px solid var(--line); border-inline-start: 3px solid transparent }
.list li a:hover { background: var(--desk) }
.list li a[aria-current] { background: var(--chosen); border-inline-start-color: var(--mark) }
.list .row { display: flex; justify-content: space-between; gap: 12px }
.list .row time { flex: none }
.list strong, .list .subject { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.mail { display: flex; flex-direction: column; min-width: 0; min-height: 0 }
.mail header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: end; padding: 18px 24px 14px; background: var(--paper); border-bottom: 1px solid var(--line) }
.mail h2 { flex: 1 0 100%; font-size: 1.25rem; overflow-wrap: anywhere }
.mail dl { flex: 1 0 15rem; display: grid; grid-template-columns: auto 1fr; gap: 2px 12px }
.mail dt { color: var(--quiet) }
.mail dd { overflow-wrap: anywhere }
.mail nav { display: flex; border: 1px solid var(--line); border-radius: 6px; overflow: hidden }
.mail nav a { padding: 5px 14px }
.mail nav a[aria-current] { background: var(--chosen); color: var(--mark); font-weight: 600 }
.mail iframe { flex: 1 0 12rem; width: 100%; border: 0; background: #ffffff }
.mail pre { flex: 1 0 12rem; margin: 0; padding: 24px; overflow: auto; background: var(--paper); white-space: pre-wrap; overflow-wrap: anywhere; font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
.empty { grid-column: 2; place-self: center; max-width: 100%; text-align: center; padding: 24px; overflow-wrap: anywhere }
@media (max-width: 43.75rem) {
  body { grid-template-columns: minmax(0, 1fr); grid-template-rows: fit-content(34vh) minmax(0, 1fr) }
  .list { border-inline-end: 0; border-bottom: 1px solid var(--line) }
  .list header, .mail header { padding: 10px 14px }
  .list h1, .list .quiet, .mail dl { display: none }
  .list input { margin-top: 0 }
  .list li a { padding: 8px 14px }
  .mail h2 { flex: 1; font-size: 1rem }
  .empty { grid-column: 1 }
}
`

/** Reloads the page when the mailbox has changed. */
const SCRIPT = `
const shown = document.documentElement.dataset.state
setInterval(async () => {
  if (document.hidden) return
  const answer = await fetch(location.href, { method: 'HEAD', headers: { Accept: 'text/html' } }).catch(() => {})
  if (answer?.ok && answer.headers.get('ETag') !== shown) location.reload()
}, 1500)
`

const sourceOf = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`

export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src ${sourceOf(STYLE)}`,
  `script-src ${sourceOf(SCRIPT)}`,
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ')

/** A mail is untrusted HTML: it gets no script, no origin, and from other hosts nothing but images. */
export const MAIL_POLICY = [
  'sandbox',
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src https: data:',
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ')

/** Changes whenever the page with these mails changes. */
export function stateOf(mails: readonly MailboxMessage[]): string {
  return `"${mails[0]?.id ?? ''}.${mails.length}"`
}

/** The page with all mails, newest first, and one of them open. */
export function mailboxPage(mails: readonly MailboxMessage[], view: MailboxView): string {
  const open = mails.find(({ id }) => id === view.id) ?? mails[0]
  return `<!doctype html>
<html lang="en" data-state="${text(stateOf(mails))}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${mails.length === 0 ? 'Mailbox' : `(${mails.length}) Mailbox`} · Countersign</title>
<style>${STYLE}</style>
<script type="module">${SCRIPT}</script>
</head>
<body>
<section class="list" aria-label="Mails">
<header>
<h1>Mailbox</h1>
<p class="quiet">Development only: no mail of this service leaves this machine.</p>
<form action="${MAILBOX}"><input type="search" name="to" value="${text(view.to ?? '')}" placeholder="Mails to …" aria-label="Mails to"></form>
</header>
<ol>${mails.map((mail) => entry(mail, view, mail === open)).join('')}</ol>
</section>
${open ? mailOf(open, view) : nothing(view)}
</body>
</html>
`
}

function entry({ id, to, subject, sentAt }: MailboxMessage, view: MailboxView, isOpen: boolean): string {
  return `
<li><a href="${address({ ...view, id })}"${isOpen ? ' aria-current="true"' : ''}>
<span class="row"><strong>${text(to)}</strong>${time(sentAt, { timeStyle: 'medium' })}</span>
<span class="subject">${text(subject)}</span>
</a></li>`
}

function mailOf(mail: MailboxMessage, view: MailboxView): string {
  const { id, from, to, subject, sentAt } = mail
  const choice = (asText: boolean, label: string) =>
    `<a href="${address({ ...view, asText })}"${view.asText === asText ? ' aria-current="true"' : ''}>${label}</a>`
  return `<main class="mail">
<header>
<h2>${text(subject)}</h2>
<dl>
${from === undefined ? '' : `<dt>From</dt><dd>${text(from)}</dd>\n`}<dt>To</dt><dd>${text(to)}</dd>
<dt>Sent</dt><dd>${time(sentAt, { dateStyle: 'full', timeStyle: 'medium' })}</dd>
</dl>
<nav aria-label="Form">${choice(false, 'As mailed')}${choice(true, 'Plain text')}</nav>
</header>
${
  view.asText
    ? `<pre dir="auto">\n${text(mail.text)}</pre>`
    : `<iframe sandbox title="The mail" src="${text(`${MAILBOX}/${encodeURIComponent(id)}`)}"></iframe>`
}
</main>`
}

function nothing({ to }: MailboxView): string {
  return `<main class="empty">
<h2>No mail${to === undefined ? ' yet' : ` to ${text(to)}`}</h2>
<p class="quiet">Request a code; its mail appears here by itself.</p>
</main>`
}

function address({ to, id, asText }: MailboxView): string {
  const query = new URLSearchParams({
    ...(to === undefined ? {} : { to }),
    ...(id === undefined ? {} : { id }),
    ...(asText ? { view: 'text' } : {}),
  })
  return text(`${MAILBOX}?${query}`)
}

function time(at: Date, style: Intl.DateTimeFormatOptions): string {
  return `<time datetime="${at.toISOString()}">${new Intl.DateTimeFormat('en-GB', style).format(at)}</time>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes the text of a mail, for content and for attributes. */
function text(foreign: string): string {
  return foreign.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}
