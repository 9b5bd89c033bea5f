const STORES = 'test/adapters/persistence-prisma'

/** The test files of the project that run on Citus, and in them what can not, with the reason. A title may contain `*`. */
export const SUITES: readonly {
  readonly file: string
  readonly without: Readonly<Record<string, string>>
}[] = [
  {
    file: `${STORES}/prisma-stores.test.ts`,
    without: {
      '*: a challenge that somebody gave to a subject of another bucket is a forgery':
        'Citus refuses to move a row to another bucket',
      '*: * from before the buckets is *': 'nobody looks for an older id on all servers (decision 67)',
      '*: a code that lost its race counts for no mailbox': 'it counts for an hour (decision 67)',
    },
  },
  { file: `${STORES}/mail-outcomes-in-groups.test.ts`, without: {} },
  { file: `${STORES}/prisma-lock-notices.test.ts`, without: {} },
  { file: `${STORES}/prisma-security-notices.test.ts`, without: {} },
  { file: `${STORES}/prisma-moved-address.test.ts`, without: {} },
  { file: `${STORES}/prisma-outbox-backlog.test.ts`, without: {} },
  { file: `${STORES}/prisma-retention.test.ts`, without: {} },
  { file: `${STORES}/prisma-service-events.test.ts`, without: {} },
  { file: `${STORES}/prisma-support.test.ts`, without: {} },
  { file: `${STORES}/prisma-subject-records.test.ts`, without: {} },
  { file: 'test/journeys/races.test.ts', without: {} },
  { file: 'test/journeys/countersign.test.ts', without: {} },
]

/** Each has to be run, and each run has to be one task on one node. Tests read the trail in other ways as well, so only the service counts there. */
export const HOT_STATEMENTS: readonly (readonly [name: string, where: 'anywhere' | 'in the service'])[] = [
  ['step-ups.load', 'anywhere'],
  ['step-ups.open', 'anywhere'],
  ['step-ups.save', 'anywhere'],
  ['idempotency-keys.reserve', 'anywhere'],
  ['mailbox-issuances.count', 'anywhere'],
  ['otp-outbox.claim-one', 'anywhere'],
  ['otp-outbox.record', 'anywhere'],
  ['mail-outcomes.load', 'anywhere'],
  ['mail-outcomes.save', 'anywhere'],
  ['step-ups.load-group', 'anywhere'],
  ['step-ups.open-group', 'anywhere'],
  ['step-ups.save-group', 'anywhere'],
  ['otp-outbox.claim-one-group', 'anywhere'],
  ['otp-outbox.record-group', 'anywhere'],
  ['mail-outcomes.save-group', 'anywhere'],
  ['SELECT challenge_events by bucket, challenge_id', 'in the service'],
]
