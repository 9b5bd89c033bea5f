#!/usr/bin/env bash
# nodemailer sends a mail without any signature if the DKIM key is an Ed25519 key.
#
# Expected: RFC 8463 adds Ed25519 to DKIM. A key that the library cannot use should fail the mail, or be refused at the start.
# Happens:  sendMail succeeds. The mail leaves without a DKIM-Signature, and no error and no warning says so.
# Matters:  the mails of the service fail DMARC from then on, and only its recipients see it. A service that takes keys from
#   an operator has to check their type itself, or to look for the header in what it sends.
# Versions: nodemailer 10.6.0, Node.js 24. Seen on 2026-11-28. mailauth 7.1.0 signs with the same key.
# Read:     nodemailer, "DKIM"; RFC 8463 "A New Cryptographic Signature Method for DKIM".
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts nodemailer@10.6.0 mailauth@7.1.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import nodemailer from 'nodemailer'

const privateKeyOf = (type) =>
  generateKeyPairSync(type, {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
const mail = { from: 'bank@example.org', to: 'anna@example.net', subject: 'A code', text: '123456' }
const warnings = []
const logger = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [
    level,
    (_, message) => ['warn', 'error', 'fatal'].includes(level) && warnings.push(message),
  ]),
)

const algorithms = {}
for (const type of ['rsa', 'ed25519']) {
  const privateKey = privateKeyOf(type)
  const dkim = { domainName: 'example.org', keySelector: 'one', privateKey }
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, logger, dkim })
  const { message } = await transport.sendMail(mail)
  const { signatures } = await dkimSign('From: bank@example.org\r\n\r\n123456\r\n', {
    signatureData: [{ signingDomain: 'example.org', selector: 'one', privateKey }],
  })
  const algorithm = (text) => /^DKIM-Signature:[^;]*; a=([\w-]+)/m.exec(text)?.[1] ?? 'unsigned'
  algorithms[type] = { nodemailer: algorithm(String(message)), mailauth: algorithm(signatures) }
}
console.log(algorithms, 'warnings:', warnings)
assert.deepEqual(algorithms, {
  rsa: { nodemailer: 'rsa-sha256', mailauth: 'rsa-sha256' },
  ed25519: { nodemailer: 'unsigned', mailauth: 'ed25519-sha256' },
})
assert.deepEqual(warnings, [])
JS
node finding.js
