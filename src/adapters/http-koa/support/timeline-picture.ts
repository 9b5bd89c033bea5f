import { type Html, html } from './html.ts'
import type { Party, Step } from './timeline.ts'

/* One unit is one pixel on a phone of 375 pixels, so that its letters can be read there. */
const WIDTH = 340
const LANES: Readonly<Record<Party, number>> = { service: 84, countersign: 160, mailbox: 236, user: 312 }
const NAMES: Readonly<Record<Party, string>> = {
  service: 'Service',
  countersign: 'Countersign',
  mailbox: 'Mailbox',
  user: 'User',
}
const HEAD = 26
const ROW = 36
const RADIUS = 6
/** Between a line and its label. */
const GAP = 5

/**
 * The timeline as a picture: one line down for each party, and one row for each step. Its shapes differ as its colours do. The words
 * beside it say the same.
 *
 * @param clock how the picture writes a time.
 */
export function timelinePicture(steps: readonly Step[], clock: (at: Date) => string): Html {
  const height = HEAD + Math.max(1, steps.length) * ROW + 8
  const lanes = Object.keys(LANES) as Party[]
  return html`<svg class="picture" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${titleOf(steps)}">
${lanes.map(
  (party) => html`<text class="lane" x="${LANES[party]}" y="12">${NAMES[party]}</text>
<line class="life" x1="${LANES[party]}" y1="18" x2="${LANES[party]}" y2="${height - 4}"/>`,
)}
${steps.map((step, index) => row(step, HEAD + index * ROW + ROW / 2 + 4, clock))}
</svg>`
}

function row(step: Step, y: number, clock: (at: Date) => string): Html {
  return html`<g class="${step.tone}"><text class="clock" x="0" y="${y + 4}">${clock(step.at)}</text>
${step.from === step.to ? mark(step, y) : arrow(step, y)}</g>
`
}

/** What one party does alone, with its label in the free space beside it. */
function mark({ from, label, tone }: Step, y: number): Html {
  const x = LANES[from]
  return html`${sign(tone, x, y)}<text class="label" x="${x + RADIUS + GAP}" y="${y + 4}">${label}</text>`
}

/** What one party does to another, with its label above. */
function arrow({ from, to, label, tone }: Step, y: number): Html {
  const [start, end] = [LANES[from], LANES[to]]
  const way = Math.sign(end - start)
  const tip = end - way * (RADIUS + 1)
  return html`<line class="way" x1="${start}" y1="${y}" x2="${tip - way * 6}" y2="${y}"/><path class="tip" d="M${tip} ${y}l${-way * 8} -4v8z"/>${sign(tone, end, y)}<text class="label over" x="${(start + end) / 2}" y="${y - GAP}">${label}</text>`
}

function sign(tone: Step['tone'], x: number, y: number): Html {
  const circle = html`<circle class="sign" cx="${x}" cy="${y}" r="${tone === 'plain' ? 3 : RADIUS}"/>`
  if (tone === 'good') return html`${circle}<path class="on" d="M${x - 3} ${y}l2 2.5l4 -5"/>`
  if (tone === 'bad') return html`${circle}<path class="on" d="M${x - 2.5} ${y - 2.5}l5 5m0 -5l-5 5"/>`
  return circle
}

function titleOf(steps: readonly Step[]): string {
  const labels = steps.map(({ label }) => label)
  return labels.length === 0 ? 'Nothing happened yet.' : `In this order: ${labels.join(', ')}.`
}
