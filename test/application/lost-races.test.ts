import test from 'ava'
import { liftSuppression } from '../../src/application/mail/lift-suppression.ts'
import { RecordNotice } from '../../src/application/mail/record-notice.ts'
import { ConcurrencyConflict } from '../../src/application/retry-on-conflict.ts'
import { ApplyConfiguredWebhooks } from '../../src/application/webhooks/apply-configured-webhooks.ts'
import { PauseWebhook } from '../../src/application/webhooks/pause-webhook.ts'
import { NOON } from '../domain/examples.ts'
import { scenario } from './scenario.ts'

const CLIENT = { clientId: 'payments' }
const ORIGIN = { requestId: 'r' }

/** A house in which another process always stores its decision first. */
async function outrun() {
  const house = await scenario()
  const { store, open, issue, verify, registerWebhook } = house
  const challengeId = await open()
  await issue(challengeId)
  for (let wrong = 0; wrong < 5; wrong++) await verify(challengeId, '999999')
  const issuanceId = (await store.stepUps.load(challengeId))!.issuance!.id
  await registerWebhook.execute({ ...CLIENT, url: undefined })

  const lose = async () => false
  store.stepUps.save = lose
  store.endpoints.save = lose
  store.mailOutcomes.save = lose
  store.suppressions.save = lose
  store.standings.saveUnlocking = lose
  return { ...house, challengeId: await open(), issuanceId }
}

type House = Awaited<ReturnType<typeof outrun>>

for (const [what, about, run] of [
  [
    'a cancellation',
    ({ challengeId }) => `challenge ${challengeId}`,
    ({ cancelChallenge, challengeId }) =>
      cancelChallenge.execute({ challengeId, caller: { kind: 'user', userId: 'alice' }, origin: ORIGIN }),
  ],
  [
    'an unlocking',
    () => 'a lock',
    ({ unlockSubject }) => unlockSubject.execute({ userId: 'alice', actor: 'agent:7', origin: ORIGIN }),
  ],
  [
    'a lift',
    () => 'a suppression',
    ({ store }) => liftSuppression(store.suppressions, 'alice', NOON, { actor: 'agent:7' }),
  ],
  [
    'a report of a mail system',
    ({ issuanceId }) => `the mail of issuance ${issuanceId}`,
    ({ recordMailEvent, issuanceId }) =>
      recordMailEvent.execute({ issuanceId, event: { outcome: 'delivered', at: NOON }, origin: ORIGIN }),
  ],
  [
    'a notice of a mail system',
    ({ issuanceId }) => `the mail of issuance ${issuanceId}`,
    ({ store, clock, issuanceId }) =>
      new RecordNotice(store.mailOutcomes, clock).execute({ issuanceId, report: { outcome: 'delivered' } }),
  ],
  [
    'a registration',
    () => 'an endpoint',
    ({ registerWebhook }) => registerWebhook.execute({ ...CLIENT, url: 'https://payments.bank.example/' }),
  ],
  [
    'a new secret',
    () => 'an endpoint',
    ({ rotateWebhookSecret }) => rotateWebhookSecret.execute({ ...CLIENT, keepsPrevious: true }),
  ],
  [
    'a pause',
    () => 'an endpoint',
    ({ store, clock }) => new PauseWebhook(store.endpoints, clock).execute({ ...CLIENT, paused: true }),
  ],
  [
    'a configuration',
    () => 'an endpoint',
    ({ store, webhookSecrets }) =>
      new ApplyConfiguredWebhooks(store.endpoints, webhookSecrets).execute(
        new Map([['payments', undefined]]),
      ),
  ],
] as readonly (readonly [string, (house: House) => string, (house: House) => Promise<unknown>])[]) {
  test(`${what} that loses every race is given up, and the log says of what`, async (t) => {
    const house = await outrun()

    await t.throwsAsync(run(house), {
      instanceOf: ConcurrencyConflict,
      message: `Gave up on ${about(house)} after losing 25 races`,
    })
  })
}
