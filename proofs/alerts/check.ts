import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { filledIn, queriesOf, readDashboard } from '../../tools/dashboard/dashboard.ts'
import { pathOf } from '../programs.ts'

/*
 * `npm run alerts:check`: lets promtool check the alert rules, run their unit tests, and parse every query of the dashboard. Exits
 * with 1 if promtool finds a fault or is not installed.
 */

const HERE = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url))
/** No package offers a linter for dashboards. So this writes the queries into a file of rules, which promtool parses. */
const queries = {
  groups: [
    {
      name: 'dashboard',
      rules: queriesOf(readDashboard()).map(({ title, expr }, index) => ({
        record: `query_${index}`,
        expr: filledIn(expr, '5m'),
        labels: { panel: title },
      })),
    },
  ],
}

const folder = mkdtempSync(join(tmpdir(), 'countersign-alerts-'))
try {
  const promtool = pathOf('promtool')
  const dashboardRules = join(folder, 'dashboard.rules.yaml')
  writeFileSync(dashboardRules, stringify(queries))
  const checks = [
    ['check', 'rules', '--lint=all', '--lint-fatal', 'countersign.rules.yaml'],
    ['test', 'rules', 'countersign.rules.test.yaml'],
    ['check', 'rules', '--lint=all', '--lint-fatal', dashboardRules],
  ]
  for (const arguments_ of checks) {
    const { status } = spawnSync(promtool, arguments_, { cwd: HERE, stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
