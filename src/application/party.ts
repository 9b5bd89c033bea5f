import type { Challenge } from '../domain/challenge.ts'
import type { Caller } from './ports/access-tokens.ts'

/** Whether the caller is one of the two parties of the challenge: the client that opened it, or its subject. */
export function isParty(challenge: Challenge, caller: Caller): boolean {
  return caller.kind === 'user'
    ? caller.userId === challenge.subjectUserId
    : caller.clientId === challenge.clientId
}
