import { readFileSync } from 'node:fs'
import test from 'ava'
import { type Panel, queriesOf, readDashboard } from '../../tools/dashboard/dashboard.ts'
import { documentedSeries, mentionsOf, misnomersOf } from './promql.ts'
import { sourceOfTheService } from './source.ts'

const dashboard = readDashboard()
const charts = dashboard.panels.filter(({ type }) => type !== 'row')
const COLUMNS = 24

test('a panel has an id of its own and a place that it shares with no other', (t) => {
  const ids = dashboard.panels.map(({ id }) => id)
  t.deepEqual([...new Set(ids)], ids)

  const taken = new Map<string, string>()
  for (const { title, gridPos } of dashboard.panels) {
    const { x, y, w, h } = gridPos
    t.true(x >= 0 && w > 0 && h > 0 && x + w <= COLUMNS, title)
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const cell = `${column},${line}`
        t.is(taken.get(cell), undefined, `${title} at ${cell}`)
        taken.set(cell, title)
      }
    }
  }
})

test('a panel says what it shows, in which unit, and asks for it', (t) => {
  const titles = charts.map(({ title }) => title)
  t.deepEqual([...new Set(titles)], titles)
  for (const { title, description = '', fieldConfig, targets = [] } of charts) {
    t.regex(description, /^[A-Z].{15,}\.$/s, title)
    t.regex(fieldConfig?.defaults.unit ?? '', /^(?:short|reqps|ops|percentunit|s|bytes)$/, title)
    t.true(targets.length > 0, title)
    t.deepEqual([...new Set(targets.map(({ refId }) => refId))].length, targets.length, title)
  }
})

test('a unit fits what is asked for: rates, seconds, bytes and shares are shown as such', (t) => {
  const unit = ({ fieldConfig }: Panel) => fieldConfig!.defaults.unit
  for (const chart of charts) {
    for (const { expr } of chart.targets ?? []) {
      if (/^histogram_quantile.*_seconds_bucket/.test(expr)) t.is(unit(chart), 's', chart.title)
      if (/_bytes\{/.test(expr)) t.is(unit(chart), 'bytes', chart.title)
      if (/\) \/ sum/.test(expr)) t.is(unit(chart), 'percentunit', chart.title)
      if (/^\(?sum(?: by \([^)]*\))? \(rate\(countersign/.test(expr) && !expr.includes(') / sum')) {
        t.regex(unit(chart), /^(?:reqps|ops)$/, chart.title)
      }
    }
  }
})

test('whoever imports it chooses the Prometheus: nothing names one', (t) => {
  const [datasource] = dashboard.templating.list
  t.like(datasource, { name: 'datasource', type: 'datasource', query: 'prometheus' })
  const sources = [
    ...charts.flatMap((chart) => [
      chart.datasource,
      ...(chart.targets ?? []).map((target) => target.datasource),
    ]),
    ...dashboard.templating.list.slice(1).map((variable) => variable.datasource),
    ...dashboard.annotations.list.map((annotation) => annotation.datasource),
  ]
  for (const source of sources) t.deepEqual(source, { type: 'prometheus', uid: `\${${datasource!.name}}` })
})

test('a query uses variables that the dashboard has, or that Grafana gives', (t) => {
  const known = new Set([...dashboard.templating.list.map(({ name }) => name), '__rate_interval'])
  for (const { title, expr } of queriesOf(dashboard)) {
    for (const [, name] of expr.matchAll(/\$\{?(\w+)/g)) t.true(known.has(name!), `${title}: ${name}`)
  }
})

test('a query asks for series, labels and values that the service tells', (t) => {
  const series = new Map(documentedSeries()).set('ALERTS', new Set(['alertname', 'alertstate']))
  const source = sourceOfTheService()

  for (const { title, expr } of queriesOf(dashboard)) {
    t.deepEqual(misnomersOf(expr, series, source), [], title)
  }
})

test('every metric that Countersign counts itself is shown', (t) => {
  const shown = new Set(
    queriesOf(dashboard).flatMap(({ expr }) => mentionsOf(expr).selectors.map(({ metric }) => metric)),
  )
  const counted = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8').matchAll(
    /^\| `(countersign_\w+)` \| (\w+)/gm,
  )
  for (const [, name, type] of counted) {
    t.true(shown.has(type === 'histogram' ? `${name}_bucket` : name!), name)
  }
})
