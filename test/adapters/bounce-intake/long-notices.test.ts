import { Readable } from 'node:stream'
import test from 'ava'
import { deliveryStatusOf } from '../../../src/adapters/bounce-intake/delivery-status.ts'
import { noticeParts } from '../../../src/adapters/bounce-intake/notice-parts.ts'
import { DeliveryNotice } from '../../../src/domain/delivery-notice.ts'

/*
 * Anybody who got a mail may send a notice about it. What a notice repeats must not hold up the mails of others: each of these takes a
 * few milliseconds if the work grows with the length, and seconds if it grows with its square.
 */

const LENGTH = 65_000
const MAX_CPU_MS = 400
const UNITS = ['<', '>', 'a', '@', ' ', '\t', '\r', '\n', '=', ';', ':', '.', '5', '-', '"', '(']

const pairs = UNITS.flatMap((one) => UNITS.filter((other) => other !== one).map((other) => [one, other]))
const FILLINGS: readonly string[] = [
  ...UNITS.map((unit) => unit.repeat(LENGTH)),
  ...pairs.map(([one, other]) => `${one}${other}`.repeat(LENGTH / 2)),
  ...pairs.map(([one, other]) => one!.repeat(LENGTH / 2) + other!.repeat(LENGTH / 2)),
  ...pairs.map(([one, other]) => `${one!.repeat(LENGTH - 1)}${other}`),
]

interface Filled {
  readonly header?: string
  readonly words?: string
  readonly statusHeader?: string
  readonly encoding?: string
  readonly fields?: string
}

const report = ({ header = '', words = '', statusHeader = '', encoding = '7bit', fields }: Filled) =>
  [
    `Content-Type: multipart/report; boundary=b${header}`,
    '',
    '--b',
    'Content-Type: text/plain',
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    words,
    '--b',
    `Content-Type: message/delivery-status${statusHeader}`,
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    fields ?? 'Reporting-MTA: dns; m\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed',
    '--b--',
    '',
  ].join('\r\n')

const RECIPIENT = 'Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n'

const PLACES: Readonly<Record<string, (filling: string) => Filled>> = {
  'a header of the mail': (filling) => ({ header: `\r\nReceived: ${filling}` }),
  'the name of a header': (filling) => ({ header: `\r\n${filling}: x` }),
  'the type of the mail': (filling) => ({ header: `; x=${filling}` }),
  'the type of a part': (filling) => ({ statusHeader: `; x=${filling}` }),
  'the text for people': (words) => ({ words }),
  'the line of the recipient': (filling) => ({ words: `a@b.example: 550 ${filling}` }),
  'a quoted-printable text': (filling) => ({
    encoding: 'quoted-printable',
    words: filling,
    fields: `${RECIPIENT}${filling}`,
  }),
  'the fields': (fields) => ({ fields }),
  'the name of a field': (filling) => ({ fields: `${RECIPIENT}${filling}: x` }),
  'the action': (filling) => ({ fields: `Action: ${filling}` }),
  'the status': (filling) => ({ fields: `${RECIPIENT}Status: 5.1.1${filling}` }),
  'the recipient': (filling) => ({ fields: `Action: failed\r\nFinal-Recipient: rfc822; ${filling}` }),
  'the reply': (filling) => ({ fields: `${RECIPIENT}Diagnostic-Code: smtp; 550 ${filling}` }),
  'the reply without its kind': (filling) => ({ fields: `${RECIPIENT}Diagnostic-Code:${filling}` }),
}

for (const [place, fill] of Object.entries(PLACES)) {
  test.serial(`a long run of any characters in ${place} holds up nobody`, async (t) => {
    const slow: string[] = []
    for (const filling of FILLINGS) {
      const before = process.threadCpuUsage()
      const parts = await noticeParts(Readable.from([Buffer.from(report(fill(filling)))]), 524_288).catch(
        () => undefined,
      )
      const status = parts && deliveryStatusOf(parts)
      DeliveryNotice.judge(status?.recipients ?? [])
      const { user, system } = process.threadCpuUsage(before)
      if ((user + system) / 1000 > MAX_CPU_MS) slow.push(JSON.stringify(filling.slice(0, 2) + filling.at(-1)))
      if (slow.length === 3) break
    }
    t.deepEqual(slow, [])
  })
}
