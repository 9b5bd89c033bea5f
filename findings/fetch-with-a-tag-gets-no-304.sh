#!/usr/bin/env bash
# A request by fetch with If-None-Match gets the whole answer from Express and Koa, although the tag matches.
#
# Expected: RFC 9110, section 13.1.2: a server answers a matching If-None-Match of a GET with 304. node:http gets that.
# Happens:  fetch adds "Cache-Control: no-cache" to a request with a header for a condition, as the Fetch standard says.
#   Express and Koa ask the package fresh, which takes that header for "send it all again". The answer is a 200 with the body.
# Matters:  a client in Node.js that polls a key set, an export or an API document loads it anew each time. A test with
#   node:http or curl shows a 304. On the client, { cache: 'no-cache' } gives a 304. On the server, compare tags yourself.
# Versions: express 5.3.0, koa 3.3.0, Node.js 24 with its own fetch. Seen on 2026-11-28.
# Read:     Fetch standard, HTTP-network-or-cache fetch; Express, req.fresh; Koa, request.fresh. Known: jshttp/fresh#29,
#   directus/directus#27980.
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts express@5.3.0 koa@3.3.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import express from 'express'
import Koa from 'koa'

const TAG = '"1"'
const inExpress = express().get('/', (_, response) => response.set('ETag', TAG).json({ keys: [] }))
const inKoa = new Koa().use((context) => {
  context.status = 200
  context.etag = TAG
  if (context.fresh) context.status = 304
  else context.body = { keys: [] }
})
const headers = { 'If-None-Match': TAG }

const statuses = {}
for (const [name, handler] of [
  ['express', inExpress],
  ['koa', inKoa.callback()],
]) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`
  const byFetch = async (options) => {
    const answer = await fetch(url, { headers, ...options })
    await answer.text()
    return answer.status
  }
  statuses[name] = {
    http: await new Promise((resolve, reject) =>
      get(url, { headers }, (answer) => resolve(answer.resume().statusCode)).on('error', reject),
    ),
    fetch: await byFetch({}),
    fetchWithoutCache: await byFetch({ cache: 'no-cache' }),
  }
  server.close()
  server.closeAllConnections()
}
console.log(statuses)
const expected = { http: 304, fetch: 200, fetchWithoutCache: 304 }
assert.deepEqual(statuses, { express: expected, koa: expected })
JS
node finding.js
