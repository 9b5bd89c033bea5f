/** A lost race means that another decision about the subject was stored, and budgets end those long before this. */
const MAX_LOST_RACES = 25

/**
 * Runs `attempt`, which loads, decides and saves, again from the start for as long as another decision comes first.
 *
 * @param about for the log, without personal data.
 * @throws {Contention} besides what `attempt` throws
 */
export async function untilSaved<Result>(
  about: string,
  attempt: () => Promise<{ readonly saved: boolean; readonly result: Result }>,
): Promise<Result> {
  for (let lostRaces = 0; lostRaces < MAX_LOST_RACES; lostRaces++) {
    const { saved, result } = await attempt()
    if (saved) return result
  }
  throw new Contention(about)
}

/** Too many decisions about one subject at once. Nothing was stored; the call may be repeated. */
export class Contention extends Error {
  constructor(about: string) {
    super(`Gave up on ${about} after losing ${MAX_LOST_RACES} races`)
  }
}
