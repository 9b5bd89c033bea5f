import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { HmacReportLinks } from '../../src/adapters/report-links-hmac/hmac-report-links.ts'

const key = () => ({ bytes: randomBytes(32) })
const [ONE, OTHER] = [key(), key()]
const URL_OF_PAGE = 'https://www.bank.example/not-me'
const tokenOf = (url: string) => url.slice(URL_OF_PAGE.length + 1)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const MAILS = [
  { kind: 'otp', issuanceId: '0b5c9a3e-1f2d-4c3b-8a7e-6d5f4e3c2b1a' },
  { kind: 'lock-notice', challengeId: '0b5c9a3e-1f2d-4c3b-8a7e-6d5f4e3c2b1a' },
] as const

for (const mail of MAILS) {
  test(`a link of a mail of kind ${mail.kind} is the same each time, leads back to it, and has no mark that programs cut off`, (t) => {
    const links = new HmacReportLinks([ONE], URL_OF_PAGE)
    for (let n = 0; n < 50; n++) {
      const each =
        mail.kind === 'otp' ? { ...mail, issuanceId: randomUUID() } : { ...mail, challengeId: randomUUID() }
      const url = links.urlFor(each)

      t.is(links.urlFor(each), url)
      t.regex(url, /^https:\/\/www\.bank\.example\/not-me\/[A-Za-z0-9_-]{40}[cl]$/)
      t.deepEqual(links.mailOf(tokenOf(url)), each)
    }
  })
}

test('a changed token is none of ours, whichever character differs', (t) => {
  const links = new HmacReportLinks([ONE], URL_OF_PAGE)
  const token = tokenOf(links.urlFor(MAILS[0]))

  for (let at = 0; at < token.length; at++) {
    for (const other of ALPHABET) {
      if (other === token[at]) continue
      t.is(links.mailOf(token.slice(0, at) + other + token.slice(at + 1)), undefined)
    }
  }
})

test('the id of one kind of mail makes no link of the other', (t) => {
  const links = new HmacReportLinks([ONE], URL_OF_PAGE)
  const [code, lock] = MAILS.map((mail) => tokenOf(links.urlFor(mail)))

  t.not(code!.slice(0, -1), lock!.slice(0, -1))
  t.is(links.mailOf(`${code!.slice(0, -1)}l`), undefined)
  t.is(links.mailOf(`${lock!.slice(0, -1)}c`), undefined)
})

for (const wrong of [
  '',
  'c',
  'x'.repeat(41),
  'A'.repeat(40),
  `${'A'.repeat(40)}c`,
  `${'='.repeat(40)}c`,
  '\u0000'.repeat(41),
]) {
  test(`${JSON.stringify(wrong.slice(0, 20))} of ${wrong.length} characters is no token`, (t) => {
    t.is(new HmacReportLinks([ONE], URL_OF_PAGE).mailOf(wrong), undefined)
  })
}

test('a link outlives the rotation of its key, until the key is gone', (t) => {
  const before = tokenOf(new HmacReportLinks([ONE], URL_OF_PAGE).urlFor(MAILS[0]))
  const during = new HmacReportLinks([OTHER, ONE], URL_OF_PAGE)

  t.not(tokenOf(during.urlFor(MAILS[0])), before)
  t.deepEqual(during.mailOf(before), MAILS[0])
  t.is(new HmacReportLinks([OTHER], URL_OF_PAGE).mailOf(before), undefined)
})

test('the link of a mail stays what it was when it was sent', (t) => {
  const links = new HmacReportLinks([{ bytes: Buffer.alloc(32, 7) }], URL_OF_PAGE)

  t.deepEqual(
    MAILS.map((mail) => tokenOf(links.urlFor(mail))),
    ['C1yaPh8tTDuKfm1fTjwrGlb_QhBpMerVsvqDcCpEc', 'C1yaPh8tTDuKfm1fTjwrGhBx1foQMoQdWNnasqHal'],
  )
})
