/** Each lost race means that another decision about the subject was stored. The subject's budgets allow fewer than this. */
const MAX_LOST_RACES = 25
/** For slow storage: the caller gets an answer before it times out. */
const PATIENCE_IN_MS = 8000

/** What came of one attempt. It has a result only if it was saved. */
type Attempted<Result> = { readonly saved: true; readonly result: Result } | { readonly saved: false }

/**
 * Runs `attempt`, which loads, decides and saves. Starts again as long as another decision is stored first.
 *
 * @param about for the log, without personal data.
 * @throws {ConcurrencyConflict} besides what `attempt` throws
 */
export async function retryOnConflict<Result>(
  about: string,
  attempt: () => Promise<Attempted<Result>>,
  patienceInMs = PATIENCE_IN_MS,
): Promise<Result> {
  const giveUpAt = performance.now() + patienceInMs
  for (let lostRaces = 1; ; lostRaces++) {
    const attempted = await attempt()
    if (attempted.saved) return attempted.result
    if (lostRaces === MAX_LOST_RACES || performance.now() >= giveUpAt)
      throw new ConcurrencyConflict(about, lostRaces)
  }
}

/** Too many decisions about one subject at the same time. Nothing was stored, and the call may be repeated. */
export class ConcurrencyConflict extends Error {
  constructor(about: string, lostRaces: number) {
    super(`Gave up on ${about} after losing ${lostRaces} races`)
  }
}
