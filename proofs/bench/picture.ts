/** Bars side by side: one group a label, one bar a series. */
export interface BarChart {
  readonly title: string
  readonly unit: string
  readonly series: readonly string[]
  readonly groups: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[]
}

const COLOURS = ['#1f5fbf', '#7aa7e8', '#4a4a4a', '#b8860b', '#8a8a8a']
const WIDTH = 760
const ROW = 22
const LEFT = 130
const TOP = 46

/** An SVG that is readable on light and dark pages. */
export function barChart({ title, unit, series, groups }: BarChart): string {
  const most = Math.max(...groups.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const scale = (WIDTH - LEFT - 190) / most
  let y = TOP
  const parts: string[] = []
  for (const { label, values } of groups) {
    const drawn = values.flatMap((value, index) => (value === undefined ? [] : [{ value, index }]))
    parts.push(text(LEFT - 12, y + (drawn.length * ROW) / 2 + 4, label, 'end', 'bold'))
    for (const { value, index } of drawn) {
      const width = Math.max(1, value * scale)
      parts.push(
        `<rect x="${LEFT}" y="${y + 3}" width="${round(width)}" height="${ROW - 6}" rx="2" fill="${COLOURS[index]}"/>`,
      )
      parts.push(text(LEFT + width + 8, y + 15, `${amount(value)}  ${series[index]}`))
      y += ROW
    }
    y += 16
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 6}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${title} (${unit})</title>
<style>text{fill:#222}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>
${text(16, 24, `${title} (${unit})`, 'start', 'bold')}
${parts.join('\n')}
</svg>
`
}

function text(x: number, y: number, content: string, anchor = 'start', weight = 'normal'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-weight="${weight}">${content}</text>`
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(round(value))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
