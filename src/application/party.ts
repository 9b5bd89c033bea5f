import type { Challenge } from '../domain/challenge.ts'
import type { Caller } from './ports/access-tokens.ts'

/** Whether a caller is one of the two whom a challenge concerns: the client that asked for it, and its subject. */
export function isParty(challenge: Challenge, caller: Caller): boolean {
  return caller.kind === 'user'
    ? caller.userId === challenge.subjectUserId
    : caller.clientId === challenge.clientId
}
