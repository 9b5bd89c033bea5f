#!/usr/bin/env bash
# Neither nodemailer nor mailauth signs List-Unsubscribe-Post, unless you list all headers yourself.
#
# Expected: RFC 8058, section 4, wants both List-Unsubscribe and List-Unsubscribe-Post in the h= tag of a DKIM signature.
#   Both libraries sign List-Unsubscribe by default, so a reader expects that they sign its companion too.
# Happens:  the signature covers List-Unsubscribe only. No warning says so.
# Matters:  a mailbox provider then ignores the one-click link of a notice. The sender sees a valid signature all the same.
#   The option headerFieldNames of nodemailer and headerList of mailauth replace the whole default list.
# Versions: nodemailer 10.6.0, mailauth 7.1.0, Node.js 24. Seen on 2026-11-28.
# Read:     RFC 8058 "Signaling One-Click Functionality for List Email Headers"; nodemailer, "DKIM"; mailauth, "Sign".
#   Other signers had the same gap: rspamd/rspamd#3496, postalserver/postal#2788.
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

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const mail = { from: 'bank@example.org', to: 'anna@example.net', subject: 'A notice', text: 'Hello' }
const headers = {
  'List-Unsubscribe': '<https://example.org/unsubscribe/42>',
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
}
const render = async (dkim) => {
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows', dkim })
  return String((await transport.sendMail({ ...mail, headers })).message)
}
/** The names of the signed headers that have to do with lists. */
const signed = (signature) => {
  const names = /\bh=([^;]+);/.exec(signature)[1].toLowerCase().split(':')
  return names.map((name) => name.trim()).filter((name) => name.startsWith('list-'))
}

const seen = {
  nodemailer: signed(await render({ domainName: 'example.org', keySelector: 'one', privateKey })),
  mailauth: signed(
    (
      await dkimSign(await render(), {
        signatureData: [{ signingDomain: 'example.org', selector: 'one', privateKey }],
      })
    ).signatures,
  ),
}
console.log('signed list headers:', seen)
assert.deepEqual(seen, { nodemailer: ['list-unsubscribe'], mailauth: ['list-unsubscribe'] })
JS
node finding.js
