import { z } from 'zod'
import { CANONICAL_UUID, UUID } from './challenge-id.ts'

export const EXAMPLE_CHALLENGE_ID = '0197a000-0000-7000-8000-0000000000c1'

export const ChallengeId = z.string().meta({
  pattern: CANONICAL_UUID.source,
  description: 'A UUID in its canonical form, in lower case.',
  examples: [EXAMPLE_CHALLENGE_ID],
})

export const CHALLENGE_PATH = z.object({
  challengeId: ChallengeId.meta({
    param: {
      id: 'ChallengeId',
      description:
        'The id of the challenge: a UUID of 36 characters. Upper case is read as lower case, so both name the same challenge.',
    },
    pattern: UUID.source,
  }),
})
