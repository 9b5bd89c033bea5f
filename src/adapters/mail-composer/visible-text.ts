/** Foreign text of which every character is seen by the reader, and none changes how its neighbours are read. */
export type VisibleText = string & { readonly __brand: 'VisibleText' }

/**
 * Characters that nobody sees: controls, line and paragraph separators, lone surrogates, and all that Unicode
 * has for steering a renderer (bidirectional overrides, embeddings, isolates and marks: UAX #9 §2; zero-width
 * characters, fillers, tags: UAX #44 Default_Ignorable_Code_Point), and the Braille cell without dots.
 */
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`

/** Letters and vowel signs of the scripts that are written with the joiners (Unicode chapters 9.2 and 12). */
const JOINING_SCRIPTS = 'Arab Beng Deva Gujr Guru Knda Mlym Orya Sinh Syrc Taml Telu'
const JOINING = `[[${JOINING_SCRIPTS.replaceAll(/\w+/g, '\\p{Script_Extensions=$&}')}]&&[\\p{L}\\p{M}]]`

/**
 * Where such characters are how something is written: inside an emoji (UTS #51), between two letters of a script
 * that joins them or keeps them apart, and choosing the presentation of a pictograph.
 */
const WRITTEN = [
  // Few characters begin an emoji, and the property of the sequences is slow to try at each.
  String.raw`(?=\p{Emoji})\p{RGI_Emoji}`,
  String.raw`[\u200C\u200D](?<=${JOINING}.)(?=${JOINING})`,
  String.raw`[\uFE0E\uFE0F](?<=\p{Extended_Pictographic}.)`,
].join('|')

const ANY_UNSEEN = new RegExp(UNSEEN, 'v')
const WRITTEN_OR_UNSEEN = new RegExp(`(${WRITTEN})|${UNSEEN}`, 'gv')
/** A mark with nothing to stand on, or on top of four others: a pile of them covers the lines above and below. */
const STACKED = /(?<=^|(?:\p{M}[\u200C\u200D]?){4})\p{M}/gu

/** Text without a character that could deceive: each is replaced by its name, `[U+202E]`. */
export function visible(text: string): VisibleText {
  const unstacked = text.trim().replaceAll(STACKED, named)
  if (!ANY_UNSEEN.test(unstacked)) return unstacked as VisibleText
  // After the marks: a joiner is judged by what is left beside it.
  return unstacked.replaceAll(
    WRITTEN_OR_UNSEEN,
    (found, written: string | undefined) => written ?? named(found),
  ) as VisibleText
}

function named(character: string): string {
  return `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`
}

/** The blocks of all that is written from right to left, Arabic digits included (DerivedBidiClass.txt: R, AL, AN). */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u

/**
 * Text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (UAX #9 §2.4): a name in Hebrew does not turn
 * the sentence around it, nor an Arabic sentence an amount. Written as characters in HTML too, where mail programs
 * drop `<bdi>`. Text that goes from left to right among text that does needs none, and is copied without.
 */
export function isolated(text: VisibleText, around: 'ltr' | 'rtl'): string {
  return around === 'ltr' && !RIGHT_TO_LEFT.test(text) ? text : `\u2068${text}\u2069`
}
