import test from 'ava'
import { parse } from 'yaml'
import { alertsOf, shortened } from './shortened-rules.ts'

const RULES = `
groups:
  - name: g
    rules:
      - record: r
        expr: rate(a[6h])
      - alert: A
        expr: rate(a[5m]) / rate(b[1h]) > 6 * 3600
        for: 90s
        labels: { severity: page }
      - alert: B
        expr: up == 0
`

test('windows and waiting times get shorter, windows not below the shortest, and bounds stay', (t) => {
  const { groups } = parse(shortened(RULES, { factor: 60, shortestWindowInSeconds: 12 }))

  t.deepEqual(groups[0].rules, [
    { record: 'r', expr: 'rate(a[360s])' },
    { alert: 'A', expr: 'rate(a[12s]) / rate(b[60s]) > 6 * 3600', for: '2s', labels: { severity: 'page' } },
    { alert: 'B', expr: 'up == 0' },
  ])
  t.deepEqual(alertsOf(RULES), ['A', 'B'])
})

test('a duration of several units is refused rather than read wrongly', (t) => {
  t.throws(() => shortened(RULES.replace('5m', '1h30m'), { factor: 60, shortestWindowInSeconds: 12 }), {
    message: /1h30m/,
  })
})
