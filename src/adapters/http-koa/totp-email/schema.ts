import { z } from 'zod'
import { NOT_BLANK } from '../edge/json-body.ts'

export const Verification = z.strictObject({
  totp: z
    .string('must be a string')
    .refine((text) => text.trim() !== '')
    .meta({
      pattern: NOT_BLANK,
      description: 'The code of the newest mail. Spaces and hyphens in it are ignored; leading zeros count.',
      examples: ['042917'],
    }),
})
