#!/usr/bin/env bash
# The CloudEvents SDK neither encodes nor decodes header values in binary mode.
#
# Expected: the HTTP protocol binding, section 3.1.3.2, wants percent-encoding for spaces, quotes, percent signs and all
#   characters outside of ASCII. A receiver decodes it again.
# Happens:  the SDK puts the value into the header as it is. It also reads an encoded value as it is.
# Matters:  fetch refuses a subject with a euro sign. One with an umlaut arrives only because both ends use Latin-1. The subject
#   of a sender that follows the specification is misread without an error. Structured mode has no such trouble.
# Versions: cloudevents 10.0.0, Node.js 24. Seen on 2026-11-28.
# Read:     "HTTP Protocol Binding for CloudEvents", version 1.0.2, HTTP Header Values. Two more SDKs do the same, see
#   cloudevents/spec#1397 (Go and Java, not JavaScript).
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts cloudevents@10.0.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { CloudEvent, HTTP } from 'cloudevents'

const received = []
const server = createServer((request, response) => {
  received.push(HTTP.toEvent({ headers: request.headers, body: '{}' }).subject)
  response.end()
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const send = (headers) =>
  fetch(`http://127.0.0.1:${server.address().port}`, { method: 'POST', headers, body: '{}' }).then(
    ({ status }) => status,
    (error) => error.name,
  )
const event = (subject) => new CloudEvent({ id: '1', type: 'paid', source: '/bank', subject, data: {} })

const outcomes = {
  // With the SDK at both ends: a German name, and an amount in euros.
  latin: await send(HTTP.binary(event('Jürgen')).headers),
  euro: await send(HTTP.binary(event('20 €')).headers),
  // From a sender that follows the specification.
  encoded: await send({ ...HTTP.binary(event('x')).headers, 'ce-subject': 'J%C3%BCrgen' }),
}
server.close()
server.closeAllConnections()
console.log(outcomes, 'received:', received)
assert.equal(HTTP.binary(event('a b')).headers['ce-subject'], 'a b')
assert.deepEqual(outcomes, { latin: 200, euro: 'TypeError', encoded: 200 })
assert.deepEqual(received, ['Jürgen', 'J%C3%BCrgen'])
JS
node finding.js
