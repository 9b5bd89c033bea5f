import test from 'ava'
import { pino } from 'pino'
import { Metrics } from '../../src/adapters/metrics-prometheus/metrics.ts'
import { observeCommits } from '../../src/composition/observing.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { NOON, openChallenge, POLICY } from '../domain/examples.ts'

const [challenge, opened] = Challenge.open(openChallenge(), POLICY, NOON)
const COMMIT = { events: [opened], provenance: { actor: 'client:payments', requestId: 'r-1' }, challenge }

function observing() {
  const lines: Record<string, unknown>[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const metrics = new Metrics()
  return { lines, metrics, observe: observeCommits(metrics, logger) }
}

test('a decision that was stored is counted and logged', async (t) => {
  const { lines, metrics, observe } = observing()

  observe(COMMIT)

  t.regex(
    await metrics.registry.metrics(),
    /^countersign_events_total\{type="challenge-opened",reason=""\} 1$/m,
  )
  t.like(lines, [{ msg: 'decision', requestId: 'r-1', events: ['challenge-opened'] }])
})

test('a metric with a defect costs neither the write nor its line, and the log says so', (t) => {
  const { lines, metrics, observe } = observing()
  metrics.events.inc = () => {
    throw new TypeError('a defect')
  }

  t.notThrows(() => observe(COMMIT))

  t.like(lines[0], { level: 50, msg: 'a commit was not observed', err: { message: 'a defect' } })
  t.like(lines[1], { msg: 'decision' })
})
