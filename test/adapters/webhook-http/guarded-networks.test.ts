import test from 'ava'
import { GuardedNetworks } from '../../../src/adapters/webhook-http/guarded-networks.ts'
import { WebhookMalformed, WebhookUrl } from '../../../src/domain/webhook-registration.ts'

const PRODUCTION = new GuardedNetworks({ allowedNetworks: [], allowsPublic: true })
const WITH_NETWORKS = new GuardedNetworks({
  allowedNetworks: ['10.1.0.0/16', 'fd00:1::/32'],
  allowsPublic: true,
})
const DEVELOPMENT = new GuardedNetworks({ allowedNetworks: ['127.0.0.0/8', '::1'], allowsPublic: false })

const refusalOf = (networks: GuardedNetworks, text: string): string | undefined => {
  try {
    WebhookUrl.parse(text, networks)
    return undefined
  } catch (error) {
    if (error instanceof WebhookMalformed) return error.message
    throw error
  }
}

for (const [text, rule] of [
  ['https://payments.bank.example/', undefined],
  ['https://payments/', undefined],
  ['https://203.0.114.7/', undefined],
  ['https://[2606:4700::1]/', undefined],
  ['http://payments.bank.example/', /https/],
  ['http://203.0.114.7/', /https/],
  ['https://127.0.0.1/', /must not lead/],
  ['https://127.1/', /must not lead/],
  ['https://2130706433/', /must not lead/],
  ['https://0177.0.0.1/', /must not lead/],
  ['https://0x7f000001/', /must not lead/],
  ['https://１２７.0.0.1/', /must not lead/],
  ['https://0.0.0.0/', /must not lead/],
  ['https://10.1.2.3/', /must not lead/],
  ['https://172.16.0.1/', /must not lead/],
  ['https://192.168.0.1/', /must not lead/],
  ['https://169.254.169.254/', /must not lead/],
  ['https://100.64.0.1/', /must not lead/],
  ['https://224.0.0.1/', /must not lead/],
  ['https://255.255.255.255/', /must not lead/],
  ['https://[::1]/', /must not lead/],
  ['https://[::]/', /must not lead/],
  ['https://[fe80::1]/', /must not lead/],
  ['https://[fd00:1::1]/', /must not lead/],
  ['https://[::ffff:127.0.0.1]/', /must not lead/],
  ['https://[::ffff:7f00:1]/', /must not lead/],
  ['https://[64:ff9b::7f00:1]/', /must not lead/],
  ['https://localhost/', /must not lead/],
  ['https://LOCALHOST./', /must not lead/],
  ['https://api.localhost/', /must not lead/],
  ['http://127.0.0.1/', /must not lead/],
] as const) {
  test(`in production, ${text} is ${rule ? 'refused' : 'allowed'}`, (t) => {
    const refusal = refusalOf(PRODUCTION, text)

    if (rule) t.regex(refusal ?? '', rule)
    else t.is(refusal, undefined)
  })
}

for (const [text, rule] of [
  ['http://10.1.2.3/', undefined],
  ['https://10.1.2.3/', undefined],
  ['http://[fd00:1::1]/', undefined],
  ['http://payments.internal/', undefined],
  ['http://10.2.0.1/', /must not lead/],
  ['http://203.0.114.7/', /https/],
  ['https://203.0.114.7/', undefined],
  ['https://localhost/', /must not lead/],
] as const) {
  test(`with networks of the operator, ${text} is ${rule ? 'refused' : 'allowed'}`, (t) => {
    const refusal = refusalOf(WITH_NETWORKS, text)

    if (rule) t.regex(refusal ?? '', rule)
    else t.is(refusal, undefined)
  })
}

for (const [text, rule] of [
  ['http://127.0.0.1:4000/', undefined],
  ['http://localhost:4000/', undefined],
  ['http://[::1]:4000/', undefined],
  ['https://localhost/', undefined],
  ['https://payments.bank.example/', /this machine/],
  ['http://payments.bank.example/', /this machine/],
  ['https://203.0.114.7/', /this machine/],
  ['https://10.1.2.3/', /this machine/],
] as const) {
  test(`outside production, ${text} is ${rule ? 'refused' : 'allowed'}`, (t) => {
    const refusal = refusalOf(DEVELOPMENT, text)

    if (rule) t.regex(refusal ?? '', rule)
    else t.is(refusal, undefined)
  })
}
