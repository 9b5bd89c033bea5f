import { readFileSync } from 'node:fs'
import test from 'ava'
import { pino } from 'pino'
import { Metrics } from '../../src/adapters/metrics-prometheus/metrics.ts'
import { createContainer } from '../../src/composition/container.ts'
import { readConfig } from '../../src/config/read-config.ts'

const key = (byte: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 7 + byte) % 256)).toString('base64')

/** Nothing of it is connected to. */
const SETTINGS = {
  AUTH_ISSUER: 'https://login.bank.example',
  AUTH_AUDIENCE: 'countersign',
  AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
  OTP_KEYS: `k1:${key(1)}`,
  SIGNING_KEYS: `s1:${key(2)}`,
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: 'smtp://127.0.0.1:1',
}

test('docs/metrics.md lists every metric with its type and its labels, and none besides', (t) => {
  const container = createContainer({
    config: readConfig(SETTINGS),
    databaseUrl: 'postgresql://nobody@127.0.0.1:1/none',
    logger: pino({ level: 'silent' }),
    deliverer: { name: 'deliverer', wake: () => {}, problem: async () => undefined },
    instanceId: 'test',
    requests: new Int32Array(new SharedArrayBuffer(4)),
  })
  const metrics = container.get(Metrics).registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string
    readonly type: string
    readonly labelNames: readonly string[]
  }[]

  const rows = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8').matchAll(
    /^\| `(\w+)` \| (\w+) \| (.+?) \| (.+) \|$/gm,
  )
  const documented = [...rows]
    .filter(([, , , , meaning]) => process.platform === 'linux' || !meaning!.includes('(Linux)'))
    .map(([, name, type, labels]) => `${name} ${type} ${labels!.replaceAll('`', '')}`)
  t.deepEqual(
    documented.toSorted(),
    metrics.map(({ name, type, labelNames }) => `${name} ${type} ${labelNames.join(', ') || '–'}`).toSorted(),
  )
})
