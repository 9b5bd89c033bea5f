import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { endProcess } from '../processes.ts'
import { pathOf } from '../programs.ts'

export interface PrometheusServer {
  /** The alerts that are firing. */
  firing(): Promise<ReadonlySet<string>>
  /** How many samples a query has returned since the server started. */
  samplesOf(query: string): Promise<number>
  stop(): Promise<void>
}

interface PrometheusPlan {
  readonly folder: string
  readonly port: number
  /** `host:port` of the service's metrics. */
  readonly target: string
  readonly rules: string
  readonly scrapeIntervalInSeconds: number
}

const START_TIMEOUT_IN_MS = 30_000

/** A real Prometheus with one target, which evaluates its rules every second. */
export async function startPrometheus(plan: PrometheusPlan): Promise<PrometheusServer> {
  const { port, target, rules, scrapeIntervalInSeconds } = plan
  const folder = join(plan.folder, 'prometheus')
  await mkdir(folder)
  await writeFile(join(folder, 'rules.yaml'), rules)
  const scrape = `${scrapeIntervalInSeconds}s`
  await writeFile(
    join(folder, 'prometheus.yaml'),
    stringify({
      global: { scrape_interval: scrape, scrape_timeout: scrape, evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'countersign', static_configs: [{ targets: [target] }] }],
    }),
  )

  const child = spawn(
    pathOf('prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  child.stderr.pipe(createWriteStream(join(folder, 'log')))
  const startedAt = Date.now()
  const api = async (path: string, parameters: Readonly<Record<string, string>>) => {
    const url = `http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`
    const answer = (await (await fetch(url)).json()) as { status: string; error?: string; data: unknown }
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters.query}`)
    return answer.data
  }
  const stop = () => endProcess(child)

  const deadline = performance.now() + START_TIMEOUT_IN_MS
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined)
    if (ready?.ok) break
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop()
      throw new Error('Prometheus does not start')
    }
    await wait(100)
  }
  return {
    firing: async () => {
      const { alerts } = (await api('alerts', {})) as {
        alerts: { labels: { alertname: string }; state: string }[]
      }
      return new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname))
    },
    samplesOf: async (query) => {
      const { result } = (await api('query_range', {
        ...{ query, start: String(startedAt / 1000), end: String(Date.now() / 1000) },
        step: String(scrapeIntervalInSeconds),
      })) as { result: { values: [number, string][] }[] }
      return result.flatMap(({ values }) => values).filter(([, value]) => value !== 'NaN').length
    },
    stop,
  }
}
