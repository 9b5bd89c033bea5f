import { readFileSync } from 'node:fs'

/** The parts of Grafana's dashboard model that we use. */
export interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly datasource?: object }[]
  }
  readonly annotations: {
    readonly list: readonly { readonly target: { readonly expr: string }; readonly datasource: object }[]
  }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly datasource?: object
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly datasource: object
  }[]
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(new URL('../../deploy/grafana/countersign.json', import.meta.url), 'utf8'))
}

/** The queries of all panels, with Grafana's variables in them. */
export function queriesOf({ panels }: Dashboard): { readonly title: string; readonly expr: string }[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
}

/** The query that Grafana sends for all instances. */
export function filledIn(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$instance', '.+')
}
