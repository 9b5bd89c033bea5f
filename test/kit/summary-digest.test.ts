import { readFileSync } from 'node:fs'
import test from 'ava'
import { summaryDigest } from '../../packages/kit/src/summary-digest.ts'
import { SUMMARY_DIGESTS } from '../support/summary-digests.ts'

test('a summary has the digest of the test vectors, whatever the order of the members and whatever else a line holds', (t) => {
  for (const { summary, digest } of SUMMARY_DIGESTS) {
    t.is(summaryDigest(summary), digest)
    t.is(summaryDigest(summary.map(({ label, value }) => ({ value, label, bold: true }))), digest)
  }
})

test('the guide has the test vectors', (t) => {
  const guide = readFileSync(new URL('../../docs/integration.md', import.meta.url), 'utf8')

  for (const { summary, digest } of SUMMARY_DIGESTS) {
    t.true(guide.includes(`| \`${JSON.stringify(summary)}\` | \`${digest}\` |`), digest)
  }
})

test('another text, another order and another division of the lines are other summaries', (t) => {
  const line = (label: string, value: string) => ({ label, value })
  const digests = [
    [line('a', 'b'), line('c', 'd')],
    [line('c', 'd'), line('a', 'b')],
    [line('a', 'b')],
    [line('b', 'a')],
    [line('ab', '')],
    [line('é', 'b')],
    [line('e\u0301', 'b')],
    [],
  ].map(summaryDigest)

  t.is(new Set(digests).size, digests.length)
})
