#!/usr/bin/env bash
# One TOTP secret in groups of four letters gives the right code, a wrong code, or an error, depending on the library.
#
# Expected: sites show a secret as "jbsw y3dp …", so that people can type it. A library skips the spaces, or refuses them.
# Happens:  otpauth skips them, and otplib throws. speakeasy takes each space for an A, and returns a wrong code in silence.
# Matters:  an import of secrets that keeps the spaces locks users out with speakeasy, and nothing in the log says why.
#   Remove spaces before you store a secret.
# Versions: otpauth 9.5.2, otplib 13.5.0, speakeasy 2.0.0, Node.js 24. Seen on 2026-11-28.
# Read:     RFC 4648, section 3.3, "Interpretation of Non-Alphabet Characters in Encoded Data"; the READMEs of the three.
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts otpauth@9.5.2 otplib@13.5.0 speakeasy@2.0.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import * as otpauth from 'otpauth'
import { generate } from 'otplib'
import speakeasy from 'speakeasy'

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const SECONDS = 1_890_000_000
const codes = async (secret) => ({
  otpauth: new otpauth.TOTP({ secret }).generate({ timestamp: SECONDS * 1000 }),
  otplib: await generate({ secret, epoch: SECONDS }).catch(() => 'an error'),
  speakeasy: speakeasy.totp({ secret, encoding: 'base32', time: SECONDS }),
})
const seen = {
  plain: await codes(SECRET),
  lowerCase: await codes(SECRET.toLowerCase()),
  inGroups: await codes(SECRET.match(/.{4}/g).join(' ')),
}
console.log(seen)
const right = { otpauth: '008736', otplib: '008736', speakeasy: '008736' }
assert.deepEqual(seen, {
  plain: right,
  lowerCase: right,
  inGroups: { otpauth: '008736', otplib: 'an error', speakeasy: '082728' },
})
JS
node finding.js
