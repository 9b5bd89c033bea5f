const SMALL_LATIN_LETTER = /[a-z]/

/**
 * The mark as it stands in a subject line. Filters take a line for shouting if all its letters that have a case are capitals, and
 * letters of Arabic or Chinese have none: then the two letters of the mark decide. SpamAssassin counts no letter beyond A to Z, so a
 * line in Greek or Cyrillic looks the same to it. Such a line has the mark as `ref QK`.
 *
 * @param words the rest of the subject line.
 */
export function subjectMark(words: string, reference: string): string {
  return SMALL_LATIN_LETTER.test(words) ? reference : `ref ${reference}`
}
