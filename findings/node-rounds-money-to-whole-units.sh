#!/usr/bin/env bash
# Intl.NumberFormat shows forints, rupiahs, Colombian pesos and more without decimals, which ISO 4217 gives them.
#
# Expected: MDN says that the default digits of a currency are those of ISO 4217: two for HUF, IDR, COP and PKR, three for IQD.
# Happens:  Node.js takes them from CLDR, which says how prices are usually written. It rounds 1499.50 HUF to HUF 1,500.
# Matters:  a summary of a payment shows another amount than the user confirms. Ask for the digits explicitly:
#   { minimumFractionDigits: 2 }. A bank takes them from ISO 4217, and a browser may have another edition of CLDR.
# Versions: Node.js 24.21.0 from npm, with ICU 78.3. Seen on 2026-11-28.
# Read:     MDN, "Intl.NumberFormat() constructor", minimumFractionDigits; ISO 4217, list one. The specification has allowed it
#   since tc39/ecma402#922; the discussion is tc39/ecma402#134.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund node@24.21.0

cat >finding.js <<'JS'
import assert from 'node:assert/strict'

/** The minor units of ISO 4217. */
const ISO_4217 = { EUR: 2, JPY: 0, KWD: 3, HUF: 2, IDR: 2, COP: 2, PKR: 2, AFN: 2, ALL: 2, LBP: 2, MMK: 2, IQD: 3 }
const shown = Object.keys(ISO_4217).map((currency) => {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' })
  return [currency, format.resolvedOptions().maximumFractionDigits, format.format(1499.5).replaceAll('\u00a0', ' ')]
})
console.log(`Node.js ${process.versions.node}, ICU ${process.versions.icu}`, shown)
const others = shown.filter(([currency, digits]) => digits !== ISO_4217[currency]).map(([currency]) => currency)
assert.deepEqual(others, ['HUF', 'IDR', 'COP', 'PKR', 'AFN', 'ALL', 'LBP', 'MMK', 'IQD'])
assert.deepEqual(shown[3], ['HUF', 0, 'HUF 1,500'])
JS
./node_modules/.bin/node finding.js
