import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { parse, parseAllDocuments } from 'yaml'

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

test('nginx repeats no POST that an instance may have got', async (t) => {
  const settings = (await read('deploy/nginx/countersign.conf')).replaceAll(/^\s*#.*$/gm, '')
  const repeats = [...settings.matchAll(/proxy_next_upstream ([^;]+);/g)].map(([, causes]) => causes!)

  t.true(repeats.length > 0)
  for (const causes of repeats) t.notRegex(causes, /non_idempotent/)
})

for (const folder of ['deploy/kubernetes/', 'deploy/kubernetes/migrate/']) {
  test(`each way out of a pod of ${folder} leads to one kind of place, by ports of its own`, async (t) => {
    const objects = await objectsIn(folder)
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy')
    const labels = new Set(
      objects.flatMap(({ metadata, spec }) => [
        metadata?.name,
        spec?.template?.metadata?.labels?.['app.kubernetes.io/name'],
      ]),
    )

    t.is(policies.length, 1)
    const [{ spec }] = policies
    t.deepEqual(spec.policyTypes, ['Ingress', 'Egress'])
    t.true(labels.has(spec.podSelector.matchLabels['app.kubernetes.io/name']))
    t.true(spec.egress.length >= 2)
    for (const { to, ports } of spec.egress) {
      t.is(to?.length, 1)
      t.true(ports.length > 0)
      const [{ ipBlock, namespaceSelector }] = to
      if (ipBlock) t.regex(ipBlock.cidr, /^192\.0\.2\.\d+\/32$/, 'one address, an example')
      else t.true(Object.keys(namespaceSelector.matchLabels).length > 0)
    }
  })
}

test('metrics leave a container and a pod because they say so', async (t) => {
  t.regex(await read('Dockerfile'), /^ENV .*\bMANAGEMENT_HOST=0\.0\.0\.0\b/m)
  t.regex(await read('deploy/kubernetes/kustomization.yaml'), /^ +- MANAGEMENT_HOST=0\.0\.0\.0$/m)
})

test('each stage of the image is built on the image that the builder names', async (t) => {
  const from = [...(await read('Dockerfile')).matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)

  t.deepEqual([...new Set(from)], [`\${NODE_IMAGE}`])
})

test('the image is built on a digest of the Node.js that development has', async (t) => {
  const { optionalDependencies } = JSON.parse(await read('package.json'))

  const [, image] = /^ARG NODE_IMAGE=(\S+)$/m.exec(await read('Dockerfile'))!

  t.regex(image!, new RegExp(`^node:${optionalDependencies.node}-trixie-slim@sha256:[0-9a-f]{64}$`))
})

const DIGEST = `sha256:${'0a'.repeat(32)}`

for (const [what, manifests, isAccepted] of [
  ['an image by digest', `image: registry.bank.example/countersign@${DIGEST}\n`, true],
  ['an image by tag and digest, in quotes', `- image: "countersign:0.1.0@${DIGEST}"\n`, true],
  ['an image by tag', 'image: countersign:0.1.0\n', false],
  ['an image without either', '- image: countersign\n', false],
  ['a digest that is too short', 'image: countersign@sha256:0a\n', false],
  ['one image by tag among others', `image: a@${DIGEST}\n  image: b:1\n`, false],
  ['no image', 'kind: Service\n', false],
] as const) {
  test(`check-images.sh ${isAccepted ? 'accepts' : 'refuses'} ${what}`, (t) => {
    const script = fileURLToPath(new URL('deploy/check-images.sh', ROOT))

    const { status, stderr } = spawnSync('sh', [script], { input: manifests, encoding: 'utf8' })

    t.is(status, isAccepted ? 0 : 1, stderr)
    t.is(stderr === '', isAccepted)
  })
}

test('the pods of this repository have to be given a digest', async (t) => {
  const script = fileURLToPath(new URL('deploy/check-images.sh', ROOT))
  for (const file of ['deploy/kubernetes/deployment.yaml', 'deploy/kubernetes/migrate/job.yaml']) {
    t.is(spawnSync('sh', [script], { input: await read(file) }).status, 1, file)
  }
})

test('nginx bounds rate, connections, sizes and times, and passes on public paths only', async (t) => {
  const conf = await read('deploy/nginx/countersign.conf')

  for (const directive of [
    /limit_req_zone +\$countersign_client /,
    /limit_req +zone=countersign_requests /,
    /limit_conn +countersign_connections \d+;/,
    /client_max_body_size +64k;/,
    /client_header_timeout +10s;/,
    /client_body_timeout +15s;/,
    /send_timeout +15s;/,
    /proxy_read_timeout +20s;/,
    /proxy_set_header X-Forwarded-For \$remote_addr;/,
    /location \/ \{ return 404; \}/,
  ]) {
    t.regex(conf, directive)
  }
  const passing = [...conf.matchAll(/location (.+?) +\{[^}]*proxy_pass/g)].map(([, place]) => place)
  t.deepEqual(passing, [
    '~ ^/internal/v1/mfa/totp-email/[^/:]+:(?:initiate|verify)$',
    '~ ^/internal/v1/mfa/challenges/[^/:]+(?::cancel)?$',
    '= /.well-known/jwks.json',
    '= /webhooks/postmark',
    '/report/',
    '/internal/',
  ])
  t.regex(conf, /location \/report\/ \{[^}]*access_log off;/)
  t.regex(conf, /location \/internal\/ \{[^}]*deny all;/)
})

test('the example of three database nodes waits for a standby, and HAProxy asks Patroni where Patroni answers', async (t) => {
  const patroni = parse(await read('deploy/high-availability/patroni.yml'))
  const proxy = await read('deploy/high-availability/haproxy.cfg')
  const { ttl, loop_wait, retry_timeout, synchronous_mode, synchronous_mode_strict } = patroni.bootstrap.dcs

  t.true(loop_wait + 2 * retry_timeout <= ttl)
  t.true(synchronous_mode && synchronous_mode_strict)
  const servers = [...proxy.matchAll(/^ *server (\w+) ([\d.]+:\d+) check port (\d+)$/gm)]
  t.is(servers.length, 3)
  const [, name, address, apiPort] = servers[0]!
  t.is(name, patroni.name)
  t.is(address, patroni.postgresql.connect_address)
  t.is(`${address!.split(':')[0]}:${apiPort}`, patroni.restapi.connect_address)
})
