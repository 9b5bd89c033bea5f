import { z } from 'zod'
import { ADDRESS_AS_WRITTEN, MAX_ADDRESS, MAX_LOCAL_PART } from '../../../domain/email-address.ts'
import { IDENTITY } from '../../../domain/identity.ts'
import { MAX_DISPLAY_NAME_LENGTH } from '../../../domain/user.ts'
import { ONE_LINE } from '../edge/document-patterns.ts'

/** The id of a user or a client in a request. It must be able to equal the `sub` of a token. */
export const Identity = z.string().regex(IDENTITY, 'must be 1 to 255 printable ASCII characters')

/** The domain checks forms and lengths and says what is wrong. They are written here only for the document. */
export const DirectoryEntry = z.strictObject({
  email: z
    .string()
    .refine((text) => text.trim() !== '')
    .meta({
      pattern: ADDRESS_AS_WRITTEN.source,
      // A lookahead in the pattern would say the same, and RE2 has none.
      not: { pattern: `^[^@]{${MAX_LOCAL_PART + 1}}` },
      maxLength: MAX_ADDRESS,
      description: `One plain e-mail address without a display name, of at most ${MAX_ADDRESS} characters. The user’s codes are mailed to it. The domain may be in any script: \`bücher.example\` is stored as \`xn--bcher-kva.example\`. The part before the \`@\` must be ASCII, of at most ${MAX_LOCAL_PART} characters.`,
      examples: ['alice@example.com'],
    }),
  locale: z
    .string()
    .optional()
    .meta({
      description:
        'The language of the mails, as a BCP 47 tag of at most 35 characters. `de_AT` is stored as `de-AT`. A text that is no such tag is left out, and the mails are in English.',
      examples: ['de-AT'],
    }),
  displayName: z
    .string()
    .optional()
    .meta({
      pattern: ONE_LINE,
      maxLength: MAX_DISPLAY_NAME_LENGTH,
      description: `How the mail addresses the user: one line of at most ${MAX_DISPLAY_NAME_LENGTH} characters, without control characters and lone surrogates.`,
      examples: ['Alice Smith'],
    }),
})
