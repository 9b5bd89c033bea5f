import { z } from 'zod'
import { isBlank } from '../../../application/codes/typed-code.ts'
import { NOT_BLANK } from '../edge/document-patterns.ts'

export const Verification = z.strictObject({
  totp: z
    .string('must be a string')
    .refine((text) => !isBlank(text), 'must not be blank')
    .meta({
      pattern: NOT_BLANK,
      description:
        'The code of the newest mail, as the user typed or pasted it. Decimal digits of every script count as those of ASCII. White space, dashes and format characters such as a zero-width space are dropped. Nothing else is: with a letter or another symbol the code is wrong. Leading zeros count. A text of white space and format characters alone is blank.',
      examples: ['042917'],
    }),
})
