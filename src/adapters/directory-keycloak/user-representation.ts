import { z } from 'zod'
import { EmailAddress, EmailAddressMalformed } from '../../domain/email-address.ts'
import { LanguageTag } from '../../domain/language-tag.ts'
import type { Whereabouts } from '../../domain/user.ts'

const PRINTABLE = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u
const MAX_DISPLAY_NAME = 100

/**
 * The fields of Keycloak's `UserRepresentation` that we use. Keycloak leaves out fields that are null. The fields that
 * decide where a code goes must have the documented type. Language and name are optional, and ignored otherwise.
 */
export const UserRepresentation = z.object({
  id: z.string(),
  enabled: z.boolean().nullish(),
  emailVerified: z.boolean().nullish(),
  email: z.string().nullish(),
  firstName: z.string().nullish().catch(undefined),
  lastName: z.string().nullish().catch(undefined),
  attributes: z
    .object({ locale: z.array(z.string()).nullish() })
    .nullish()
    .catch(undefined),
})

type UserRepresentation = z.infer<typeof UserRepresentation>

/** The directory entry, if the user is enabled and has verified one plain address. */
export function whereaboutsOf(
  representation: UserRepresentation,
  onUnreadableLocale: () => void,
): Whereabouts {
  const { id, enabled, emailVerified, email, firstName, lastName, attributes } = representation
  if (enabled !== true) return { user: undefined, because: enabled === false ? 'disabled' : 'no-address' }

  const address = emailVerified === true ? addressOf(email ?? '') : undefined
  if (address === undefined) return { user: undefined, because: 'no-address' }

  const locale = localeOf(attributes?.locale?.[0], onUnreadableLocale)
  return { user: { userId: id, email: address, locale, displayName: displayNameOf(firstName, lastName) } }
}

function addressOf(email: string): EmailAddress | undefined {
  try {
    return EmailAddress.parse(email)
  } catch (error) {
    if (error instanceof EmailAddressMalformed) return undefined
    throw error
  }
}

function localeOf(text: string | undefined, onUnreadable: () => void): string | undefined {
  if (text === undefined || text === '') return undefined
  const tag = LanguageTag.read(text)
  if (tag === undefined) onUnreadable()
  return tag
}

function displayNameOf(...names: readonly (string | null | undefined)[]): string | undefined {
  const name = names
    .map((part) => part?.trim())
    .filter(Boolean)
    .join(' ')
  return name !== '' && name.length <= MAX_DISPLAY_NAME && PRINTABLE.test(name) ? name : undefined
}
