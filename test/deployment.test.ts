import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import test from 'ava'
import { parseAllDocuments } from 'yaml'

const ROOT = new URL('../', import.meta.url)
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8')

/** What there is of Kubernetes' objects in a folder of deploy/kubernetes. */
async function objectsIn(folder: string) {
  const files = (await readdir(new URL(folder, ROOT))).filter((name) => name.endsWith('.yaml'))
  const texts = await Promise.all(files.map((name) => read(`${folder}${name}`)))
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()))
}

/** The names that .env.example explains, and those that name a file instead. */
async function variables(): Promise<Set<string>> {
  const names = [...(await read('.env.example')).matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(
    ([, name]) => name!,
  )
  return new Set(names.flatMap((name) => [name, `${name}_FILE`]))
}

test('the image copies what is there, runs as nobody, and gets signals itself', async (t) => {
  const dockerfile = await read('Dockerfile')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
    files!.split(' '),
  )

  t.true(copied.length > 0)
  for (const path of copied) t.true(existsSync(new URL(path, ROOT)), path)
  const ignore = await read('.dockerignore')
  for (const path of copied) t.true(ignore.includes(`!${path}\n`), `${path} is ignored`)
  t.regex(dockerfile, /^USER [1-9]\d*:[1-9]\d*$/m)
  t.regex(dockerfile, /^ENTRYPOINT \["node", "bin\/service\.mjs"\]$/m)
})

test('what is deployed sets variables that there are', async (t) => {
  const known = await variables()
  const unit = await read('deploy/systemd/countersign.service')
  const inUnit = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name!)
  const objects = await objectsIn('deploy/kubernetes/')
  const literals = objects.flatMap(({ configMapGenerator = [] }) =>
    configMapGenerator.flatMap(({ literals }: { literals: string[] }) => literals),
  )
  const inPods = objects
    .flatMap(({ spec }) => spec?.template?.spec?.containers ?? [])
    .flatMap(({ env = [] }) => env.map(({ name }: { name: string }) => name))

  const all = [...inUnit, ...literals.map((literal: string) => literal.split('=')[0]), ...inPods]
  t.true(all.length > 15)
  for (const name of all) t.true(known.has(name), name)
})

for (const folder of ['deploy/kubernetes/', 'deploy/kubernetes/migrate/']) {
  test(`pods of ${folder} have no rights, no writable root and no token of the cluster`, async (t) => {
    const objects = await objectsIn(folder)
    const pods = objects.flatMap(({ spec }) => spec?.template?.spec ?? [])

    t.true(pods.length > 0)
    for (const pod of pods) {
      t.false(pod.automountServiceAccountToken)
      t.true(pod.securityContext.runAsNonRoot)
      t.is(pod.securityContext.seccompProfile.type, 'RuntimeDefault')
      for (const { securityContext, resources } of pod.containers) {
        t.true(securityContext.readOnlyRootFilesystem)
        t.false(securityContext.allowPrivilegeEscalation)
        t.deepEqual(securityContext.capabilities.drop, ['ALL'])
        t.truthy(resources.limits.memory)
      }
    }
  })

  test(`${folder} names each of its files, and no other`, async (t) => {
    const [{ resources }] = (await objectsIn(folder)).filter(({ kind }) => kind === 'Kustomization')
    const files = (await readdir(new URL(folder, ROOT))).filter((name) =>
      /^(?!kustomization).*\.yaml$/.test(name),
    )

    t.deepEqual(resources.toSorted(), files.toSorted())
  })
}

test('a pod has longer to end than the service takes, and stops listening after it is out of use', async (t) => {
  const [deployment] = (await objectsIn('deploy/kubernetes/')).filter(({ kind }) => kind === 'Deployment')
  const pod = deployment.spec.template.spec
  const unused = pod.containers[0].lifecycle.preStop.sleep.seconds
  const { periodSeconds, failureThreshold } = pod.containers[0].readinessProbe

  // Ten seconds for requests, then twenty for mails.
  t.true(pod.terminationGracePeriodSeconds >= unused + 30)
  t.true(unused >= periodSeconds * failureThreshold)
})

test('nginx repeats no POST that an instance may have got, and hides /metrics and /dev', async (t) => {
  const settings = (await read('deploy/nginx/countersign.conf')).replaceAll(/^\s*#.*$/gm, '')
  const repeats = [...settings.matchAll(/proxy_next_upstream ([^;]+);/g)].map(([, causes]) => causes!)

  t.true(repeats.length > 0)
  for (const causes of repeats) t.notRegex(causes, /non_idempotent/)
  for (const place of ['= /metrics', '/dev/']) {
    t.regex(settings, new RegExp(`location ${place} +\\{ return 404; \\}`), place)
  }
})
