import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { validate as lintDockerfile } from 'dockerfile-utils'
import { Deployment } from 'kubernetes-models/apps/v1'
import { Job } from 'kubernetes-models/batch/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Service } from 'kubernetes-models/v1'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'

/*
 * The files of deploy/ against the schemas of the systems that read them. Values are checked by the schema at run time, and names by
 * the compiler: a literal with a property that its type does not have is no TypeScript.
 */

const ROOT = new URL('../../', import.meta.url)
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8')
/** Within the project, so that imports find its packages. */
const SCRATCH = new URL('node_modules/.cache/deploy-schemas/', ROOT)

/** What the compiler says against a module of TypeScript. */
async function compile(name: string, source: string): Promise<string[]> {
  await mkdir(SCRATCH, { recursive: true })
  const file = fileURLToPath(new URL(`${name}.ts`, SCRATCH))
  await writeFile(file, source)
  const program = ts.createProgram([file], {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: [],
  })
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

/** The kinds of our objects: the class that validates, and the module of its interface. */
const KINDS = {
  Deployment: { Model: Deployment, module: 'kubernetes-models/apps/v1' },
  Job: { Model: Job, module: 'kubernetes-models/batch/v1' },
  NetworkPolicy: { Model: NetworkPolicy, module: 'kubernetes-models/networking.k8s.io/v1' },
  PodDisruptionBudget: { Model: PodDisruptionBudget, module: 'kubernetes-models/policy/v1' },
  Service: { Model: Service, module: 'kubernetes-models/v1' },
} as const

interface KubernetesObject {
  readonly kind: keyof typeof KINDS
  readonly spec: Record<string, unknown>
}

/** The objects of a folder, with the selector that Kustomize adds (`includeSelectors`). */
async function objectsIn(folder: string): Promise<KubernetesObject[]> {
  const files = (await readdir(new URL(folder, ROOT))).filter((name) => name.endsWith('.yaml'))
  const texts = await Promise.all(files.map((name) => read(`${folder}${name}`)))
  const objects = texts.flatMap((text) =>
    parseAllDocuments(text).map((document) => document.toJS() as { kind: string }),
  )
  return objects
    .filter((each): each is KubernetesObject => each.kind !== 'Kustomization')
    .map((each) =>
      each.kind === 'Deployment' ? { ...each, spec: { ...each.spec, selector: { matchLabels: {} } } } : each,
    )
}

const literal = (value: unknown) => JSON.stringify(value, null, 2)

const typed = ({ kind, ...rest }: KubernetesObject) =>
  `import type { I${kind} } from '${KINDS[kind].module}'\nexport const object: I${kind} = ${literal({ kind, ...rest })}\n`

for (const folder of ['deploy/kubernetes/', 'deploy/kubernetes/migrate/']) {
  test(`the objects of ${folder} are valid by the schemas of Kubernetes`, async (t) => {
    const objects = await objectsIn(folder)

    t.true(objects.length > 0)
    for (const object of objects) {
      const { Model } = KINDS[object.kind]
      t.notThrows(() => new Model(object as never).validate(), object.kind)
      t.deepEqual(await compile(`${folder.replaceAll('/', '-')}${object.kind}`, typed(object)), [])
    }
  })
}

test('a wrong value and a wrong name in an object of Kubernetes are found', async (t) => {
  const [deployment] = (await objectsIn('deploy/kubernetes/')).filter(({ kind }) => kind === 'Deployment')
  const withSpec = (spec: object) => ({ ...deployment!, spec: { ...deployment!.spec, ...spec } })

  t.throws(() => new Deployment(withSpec({ replicas: 'three' }) as never).validate())
  t.regex((await compile('wrong-name', typed(withSpec({ replica: 3 })))).join(), /replica/)
})

/** String enums of the schema are plain strings in JSON. */
const GRAFANA = `
import type { AnnotationQuery, Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'
import type * as stat from '@grafana/grafana-foundation-sdk/stat'
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'

type Json<T> = T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends readonly (infer Each)[] ? Json<Each>[]
  : T extends object ? { [Key in keyof T]: Json<T[Key]> } : T
type Deep<T> = T extends readonly (infer Each)[] ? Deep<Each>[] : T extends object ? { [Key in keyof T]?: Deep<T[Key]> } : T

type Query = Omit<Dataquery, '_implementsDataqueryVariant'> & { refId: string }
type Chart<Type extends string, Options, FieldConfig> = Omit<Panel, 'type' | 'targets' | 'options' | 'fieldConfig'> & {
  type: Type
  targets: Query[]
  options: Deep<Options>
  fieldConfig: {
    defaults: Omit<NonNullable<Panel['fieldConfig']>['defaults'], 'custom'> & { custom?: Deep<FieldConfig> }
    overrides: NonNullable<Panel['fieldConfig']>['overrides']
  }
}
type Annotation = Omit<AnnotationQuery, 'target'> & { target: Query }

type Ours = Json<Omit<Dashboard, 'panels' | 'annotations'> & {
  annotations: { list: Annotation[] }
  panels: (RowPanel | Chart<'stat', stat.Options, object> | Chart<'timeseries', timeseries.Options, timeseries.FieldConfig>)[]
}>
export const dashboard: Ours = `

test('the dashboard is a value of the type that Grafana has for dashboards', async (t) => {
  t.deepEqual(await compile('dashboard', GRAFANA + (await read('deploy/grafana/countersign.json'))), [])
})

for (const [what, from, to] of [
  ['a setting of the dashboard', '"graphTooltip"', '"graphTooltips"'],
  ['an option of a panel', '"reduceOptions"', '"reduceOption"'],
  ['a value of an option', '"colorMode": "none"', '"colorMode": "no"'],
  ['a setting of a query', '"legendFormat"', '"legendFormats"'],
  ['a field of a chart', '"fillOpacity"', '"fillOpacities"'],
] as const) {
  test(`a slip in ${what} is no value of that type`, async (t) => {
    const dashboard = await read('deploy/grafana/countersign.json')
    t.true(dashboard.includes(from))

    const found = await compile(
      `dashboard-${to.replaceAll(/\W/g, '')}`,
      GRAFANA + dashboard.replace(from, to),
    )

    t.true(found.length > 0)
  })
}

test('a linter has nothing to say about the container file', async (t) => {
  const found = lintDockerfile(await read('Dockerfile'))

  t.deepEqual(
    found.map(({ range, message }) => `line ${range.start.line + 1}: ${message}`),
    [],
  )
  t.true(lintDockerfile((await read('Dockerfile')).replace('--interval', '--intervall')).length > 0)
})
