import { html } from './html.ts'
import type { OtpLetter } from './otp-letter.ts'

/** Inline, because mail programs drop style sheets; the sheet below only adds what they may do without. */
const STYLE = {
  page: 'margin:0;padding:0;background-color:#eef1f4;color:#1b2128;font-family:-apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5',
  frame: 'width:100%;border-collapse:collapse',
  margin: 'padding:24px 12px',
  card: 'width:100%;max-width:520px;border-collapse:separate;background-color:#ffffff;border:1px solid #d6dce2;border-radius:8px',
  content: 'padding:28px 28px 24px;text-align:start',
  title: 'margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:600',
  paragraph: 'margin:0 0 16px',
  summary:
    'width:100%;margin:0 0 24px;border-collapse:collapse;border-top:1px solid #d6dce2;table-layout:fixed',
  label:
    'width:34%;padding:10px 12px 10px 0;border-bottom:1px solid #d6dce2;vertical-align:top;text-align:start;font-weight:400;color:#57626e;overflow-wrap:anywhere;word-break:break-word',
  value:
    'padding:10px 0;border-bottom:1px solid #d6dce2;vertical-align:top;font-weight:600;overflow-wrap:anywhere;word-break:break-word',
  box: 'width:100%;margin:0 0 20px;border-collapse:separate;background-color:#f3f6f9;border:1px solid #d6dce2;border-radius:8px',
  boxed: 'padding:18px 16px;text-align:center',
  caption: 'margin:0;font-size:14px;color:#57626e',
  code: 'margin:6px 0;padding-inline-start:0.18em;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:38px;line-height:1.25;font-weight:700;letter-spacing:0.18em;direction:ltr;-webkit-user-select:all;user-select:all',
  warning: 'margin:0 0 20px;padding:2px 0 2px 14px;border-inline-start:3px solid #b4530a',
  footer: 'margin:0;padding-top:16px;border-top:1px solid #d6dce2;font-size:13px;color:#57626e',
} as const

/**
 * The mail as HTML that stands alone: no link, image, script or style from elsewhere. Each value is alone in its
 * cell, a bidirectional paragraph of its own (UAX #9 §3), and nothing of the operation is outside that table.
 */
export function htmlBody({ wording, greeting, summary, code, reference, validity }: OtpLetter): string {
  const rows = summary.map(
    ({ label, value }) => html`
<tr>
<th class="line quiet" scope="row" dir="auto" style="${STYLE.label}">${label}</th>
<td class="line" dir="auto" style="${STYLE.value}">${value}</td>
</tr>`,
  )

  return html`<!doctype html>
<html lang="${wording.language}" dir="${wording.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${wording.subject(reference)}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark }
@media (max-width: 420px) {
  .content { padding: 22px 18px 20px !important }
  .code { font-size: 32px !important }
}
@media (prefers-color-scheme: dark) {
  .page { background-color: #12161a !important; color: #e6eaee !important }
  .card { background-color: #1b2127 !important }
  .box { background-color: #242c34 !important }
  .card, .box, .line { border-color: #39434d !important }
  .quiet { color: #a3afba !important }
  .warning { border-color: #e08b3e !important }
}
</style>
</head>
<body class="page" style="${STYLE.page}">
<table role="presentation" style="${STYLE.frame}"><tr><td class="page" align="center" style="${STYLE.margin}">
<table class="card" role="presentation" style="${STYLE.card}"><tr><td class="content" style="${STYLE.content}">
<h1 style="${STYLE.title}">${wording.title}</h1>
<p style="${STYLE.paragraph}">${greeting}</p>
<p style="${STYLE.paragraph}">${wording.introduction}</p>
<table class="line" style="${STYLE.summary}">${rows}
</table>
<table class="box" role="presentation" style="${STYLE.box}"><tr><td style="${STYLE.boxed}">
<p class="quiet" style="${STYLE.caption}">${wording.codeLabel} &middot; <strong>${wording.mark(reference)}</strong></p>
<p class="code" style="${STYLE.code}">${code}</p>
<p class="quiet" style="${STYLE.caption}">${validity}</p>
</td></tr></table>
<p style="${STYLE.paragraph}">${wording.usage(reference)}</p>
<p class="warning" style="${STYLE.warning}"><strong>${wording.warningTitle}</strong><br>${wording.warning}</p>
<p class="line quiet" style="${STYLE.footer}">${wording.footer}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
`.markup
}
