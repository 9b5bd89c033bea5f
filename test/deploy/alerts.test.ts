import { readFileSync } from 'node:fs'
import test from 'ava'
import { parse } from 'yaml'
import { documentedSeries, mentionsOf, misnomersOf } from './promql.ts'
import { sourceOfTheService } from './source.ts'

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const { groups } = parse(read('deploy/prometheus/countersign.rules.yaml')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
}
const rules = groups.flatMap((group) => group.rules)
const alerts = rules.filter((rule) => rule.alert !== undefined)
const names = alerts.map(({ alert }) => alert!)

test('a rule asks for series, labels and values that the service tells, or that another rule records', (t) => {
  const series = new Map(documentedSeries())
  for (const { record } of rules) if (record) series.set(record, new Set())
  const source = sourceOfTheService()

  for (const { alert, record, expr } of rules) {
    t.deepEqual(misnomersOf(expr, series, source), [], alert ?? record)
  }
})

test('the unit tests evaluate all groups in the order of the rules, so that each recording is there before it is read', (t) => {
  const { group_eval_order } = parse(read('deploy/prometheus/countersign.rules.test.yaml'), {
    maxAliasCount: -1,
  }) as {
    readonly group_eval_order: readonly string[]
  }

  t.deepEqual(
    group_eval_order,
    groups.map(({ name }) => name),
  )
})

test('a rule asks for something', (t) => {
  for (const { alert, record, expr } of rules) t.true(mentionsOf(expr).selectors.length > 0, alert ?? record)
})

test('no two alerts have one name, and every name says whose it is', (t) => {
  t.deepEqual([...new Set(names)], names)
  for (const name of names) t.regex(name, /^Countersign[A-Z]\w+$/)
})

test('an alert says in a sentence what is wrong, in more what it means, and whether to wake somebody', (t) => {
  for (const { alert, labels, annotations } of alerts) {
    t.regex(labels?.severity ?? '', /^(?:page|ticket)$/, alert)
    t.regex(annotations?.summary ?? '', /^\S[^\n]{20,118}\.$/, alert)
    t.regex(annotations?.description ?? '', /^\S.{30,}[.]$/s, alert)
  }
})

test('the words of an alert hold no label that its query drops', (t) => {
  for (const { alert, expr, annotations } of alerts) {
    const { groupings, selectors } = mentionsOf(expr)
    const aggregates = /\b(?:sum|max|min|count)\b/.test(expr)
    const kept = new Set([...groupings, ...(aggregates || selectors.length === 0 ? [] : ['job', 'instance'])])
    const used = [
      ...Object.values(annotations ?? {})
        .join()
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label]) => label!)
    for (const label of used) t.true(kept.has(label), `${alert}: ${label}`)
  }
})

test('every alert has a section in docs/operations.md, and its link leads there', (t) => {
  const [, section = ''] = read('docs/operations.md').split(/^## Alerts$/m)
  const headings = [...section.split(/^## /m)[0]!.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading!)

  t.deepEqual(headings.toSorted(), names.toSorted())
  for (const { alert, annotations } of alerts) {
    t.is(annotations?.runbook, `docs/operations.md#${alert!.toLowerCase()}`)
  }
})

test('every alert fires in a unit test', (t) => {
  const { tests } = parse(read('deploy/prometheus/countersign.rules.test.yaml'), { maxAliasCount: -1 }) as {
    readonly tests: readonly {
      readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[]
    }[]
  }
  const fired = tests.flatMap(({ promql_expr_test }) =>
    promql_expr_test.flatMap(({ exp_samples }) =>
      exp_samples.map(({ labels }) => /"(\w+)"/.exec(labels)?.[1]),
    ),
  )

  t.deepEqual([...new Set(fired)].toSorted(), names.toSorted())
})
