#!/usr/bin/env bash
# mailparser puts the status of a bounce into the text, but the status of an internationalised bounce into the attachments.
#
# Expected: message/delivery-status (RFC 3464) and its form for non-ASCII addresses, message/global-delivery-status (RFC 6533),
#   hold the same fields and are read alike.
# Happens:  the first becomes part of mail.text, after the words of the mail system, and is no attachment. The second is an
#   attachment, and the text has nothing of it. The option keepDeliveryStatus makes an attachment of the first too.
# Matters:  a reader of bounces that works with the one form sees no status in the other. A mail system uses the second form
#   for recipients such as müller@example.net. postal-mime makes attachments of both.
# Versions: mailparser 3.14.2, postal-mime 4.0.0, Node.js 24. Seen on 2026-11-28.
# Read:     nodemailer, "MailParser" (it does not name the second form). Known: nodemailer/mailparser#264, #300.
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

const bounce = (type, recipient) =>
  [
    'From: MAILER-DAEMON@example.net',
    'To: bank@example.org',
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=part',
    '',
    '--part',
    'Content-Type: text/plain',
    '',
    'Nobody has this address.',
    '--part',
    `Content-Type: ${type}`,
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    `Final-Recipient: ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    '',
    '--part--',
    '',
  ].join('\r\n')

/** Where the status of the bounce is. */
const places = ({ text, attachments }) => ({
  text: text.includes('Status: 5.1.1'),
  attachment: attachments.length === 1,
})
const seen = {}
for (const [type, recipient] of [
  ['message/delivery-status', 'rfc822; mueller@example.net'],
  ['message/global-delivery-status', 'utf-8; müller@example.net'],
]) {
  const mail = bounce(type, recipient)
  seen[type] = {
    mailparser: places(await simpleParser(mail)),
    keepDeliveryStatus: places(await simpleParser(mail, { keepDeliveryStatus: true })),
    'postal-mime': places(await PostalMime.parse(mail)),
  }
}
console.log(seen)
const inText = { text: true, attachment: false }
const attached = { text: false, attachment: true }
assert.deepEqual(seen, {
  'message/delivery-status': { mailparser: inText, keepDeliveryStatus: attached, 'postal-mime': attached },
  'message/global-delivery-status': { mailparser: attached, keepDeliveryStatus: attached, 'postal-mime': attached },
})
JS
node finding.js
