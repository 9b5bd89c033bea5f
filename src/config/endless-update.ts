import { secondsAfter } from '../domain/instant.ts'
import type { Environment } from './environment.ts'

const LONGEST_UPDATE_IN_SECONDS = 7 * 86_400

/** Reports an update that does not end soon after `now`: meanwhile a row counts that somebody else may have written. */
export function endlessUpdate(now: Date): (env: Environment) => readonly string[] {
  return ({ UNSEALED_UNTIL }) =>
    UNSEALED_UNTIL && new Date(UNSEALED_UNTIL) > secondsAfter(now, LONGEST_UPDATE_IN_SECONDS)
      ? [
          'UNSEALED_UNTIL is more than a week ahead: set it to the end of the update, and add the longest lifetime of a challenge',
        ]
      : []
}
