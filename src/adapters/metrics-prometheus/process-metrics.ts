import { readFileSync } from 'node:fs'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'

const PACKAGE = new URL('../../../package.json', import.meta.url)

/** Adds the default metrics of Node, and the version of Countersign that this process runs. */
export function watchProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry })

  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }
  new Gauge({
    name: 'countersign_build_info',
    help: 'Always 1; the version is the label',
    labelNames: ['version'],
    registers: [registry],
    aggregator: 'max',
  }).set({ version }, 1)
}
