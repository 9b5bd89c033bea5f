#!/usr/bin/env bash
# mailparser has no header List-Unsubscribe, and keeps only the last address of each kind in it.
#
# Expected: mail.headers holds each header under its name. RFC 2369 allows several addresses, and the sender prefers the first.
# Happens:  all List- headers are in one entry, "list". Of two web addresses the last one stays, and of two mail addresses too.
#   headers.get('list-unsubscribe') is undefined. List-Unsubscribe-Post becomes a "name", as if it described a list.
# Matters:  a test of a notice that asks for the header by its name sees none, and a reader follows the address that the sender
#   likes least. mail.headerLines has the header as it came.
# Versions: mailparser 3.14.2, Node.js 24. Seen on 2026-11-28. postal-mime 4.0.0 keeps the header as it is.
# Read:     nodemailer, "MailParser"; RFC 2369 "The Use of URLs as Meta-Syntax for Core Mail List Commands", section 2.
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts mailparser@3.14.2 postal-mime@4.0.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import { simpleParser } from 'mailparser'
import PostalMime from 'postal-mime'

const ADDRESSES =
  '<https://example.org/out/1>, <https://example.org/out/2>, <mailto:out1@example.org>, <mailto:out2@example.org>'
const mail = `From: bank@example.org\r\nList-Unsubscribe: ${ADDRESSES}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello\r\n`

const parsed = await simpleParser(mail)
const other = await PostalMime.parse(mail)
const seen = {
  names: [...parsed.headers.keys()],
  byName: parsed.headers.get('list-unsubscribe'),
  list: parsed.headers.get('list'),
  asItCame: parsed.headerLines.find(({ key }) => key === 'list-unsubscribe')?.line,
}
console.log(seen)
assert.deepEqual(seen, {
  names: ['from', 'list'],
  byName: undefined,
  list: {
    unsubscribe: { url: 'https://example.org/out/2', mail: 'out2@example.org' },
    'unsubscribe-post': { name: 'List-Unsubscribe=One-Click' },
  },
  asItCame: `List-Unsubscribe: ${ADDRESSES}`,
})
assert.equal(other.headers.find(({ key }) => key === 'list-unsubscribe').value, ADDRESSES)
JS
node finding.js
