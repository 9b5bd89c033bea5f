import test from 'ava'
import { soak } from './soak.ts'

test('under a hostile load, kills and broken mail and database, all that is answered is stored, counted and mailed', async (t) => {
  t.timeout(300_000)

  const { violations, findings, troubles, walks } = await soak({
    seed: 3,
    loadInMs: 10_000,
    walksPerSecond: 5,
    limits: {
      codeLifetimeInSeconds: 60,
      cooldownInSeconds: 1,
      maxAttempts: 4,
      maxIssuances: 3,
      subjectMaxFailures: 5,
      subjectLockInSeconds: 5,
      subjectMaxIssuances: 8,
    },
    rhythms: {
      restarts: { lasting: [0, 200], quiet: [500, 2000] },
      mail: { lasting: [300, 1000], quiet: [500, 2500] },
      database: { lasting: [200, 1000], quiet: [500, 1500] },
    },
    history: 2000,
    lookEveryMs: 500,
    endLeases: true,
  })

  t.deepEqual(violations, [])
  t.true(findings.figures['challenges consumed']! > 0)
  t.true(findings.figures['wrong guesses counted']! > 0)
  t.true((troubles.get('SIGKILL') ?? 0) > 0)
  t.true(walks.size > 5)
})
