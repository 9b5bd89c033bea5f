/** The syntax of RFC 5646 §2.1. Subtags are not looked up in its registry. */
const LANGUAGE_TAG = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/
const MAX_LANGUAGE_TAG_LENGTH = 35
/** POSIX writes `de_AT.UTF-8@euro`. */
const ENCODING_AND_MODIFIER = /[.@].*$/s

export const LanguageTag = {
  /**
   * The language tag (BCP 47) that a text stands for, in the spelling of RFC 5646 §2.1.1; undefined if it stands for none. Java,
   * POSIX and many databases write `de_AT` for `de-AT`.
   */
  read(text: string): string | undefined {
    if (text.length > 10 * MAX_LANGUAGE_TAG_LENGTH) return undefined
    const tag = text.trim().replace(ENCODING_AND_MODIFIER, '').replaceAll('_', '-')
    return LANGUAGE_TAG.test(tag) ? [canonical(tag), tag].find(fits) : undefined
  },
}

function fits(tag: string): boolean {
  return tag.length <= MAX_LANGUAGE_TAG_LENGTH
}

/** ECMAScript takes fewer tags than RFC 5646: it refuses `en-GB-oed`. */
function canonical(tag: string): string {
  try {
    return new Intl.Locale(tag).toString()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return tag
  }
}
