#!/usr/bin/env bash
# The CloudEvents SDK loses data that is 0, false or an empty text when it reads a structured event.
#
# Expected: "data" may be any JSON value. What HTTP.structured writes, HTTP.toEvent should read back.
# Happens:  0, false and "" are written, and missing after reading. Other values arrive. In binary mode the same values arrive,
#   but there a text is written without quotes, so the body is not the JSON that its content type says.
# Matters:  "no attempts left" or "not locked" reads as an event without data. A test with an object as data never sees it.
# Versions: cloudevents 10.0.0, Node.js 24. Seen on 2026-11-28.
# Read:     "JSON Event Format for CloudEvents", version 1.0.2, section 3.1; the README of cloudevents/sdk-javascript.
#   cloudevents/sdk-javascript#281 let the SDK accept such values.
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts cloudevents@10.0.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import { CloudEvent, HTTP } from 'cloudevents'

const seen = [0, false, '', 1, true, 'text', { attemptsLeft: 0 }].map((data) => {
  const event = new CloudEvent({ id: '1', type: 't', source: '/s', datacontenttype: 'application/json', data })
  const structured = HTTP.structured(event)
  assert.deepEqual(JSON.parse(structured.body).data, data)
  return [data, HTTP.toEvent(structured).data]
})
const binary = HTTP.binary(
  new CloudEvent({ id: '1', type: 't', source: '/s', datacontenttype: 'application/json', data: 'text' }),
)
console.log('written, read:', seen, 'binary body of a text:', binary.body)
assert.deepEqual(seen, [
  [0, undefined],
  [false, undefined],
  ['', undefined],
  [1, 1],
  [true, true],
  ['text', 'text'],
  [{ attemptsLeft: 0 }, { attemptsLeft: 0 }],
])
assert.equal(binary.body, 'text')
JS
node finding.js
