/** Foreign text in which the reader sees every character, and no character changes how its neighbours are read. */
export type VisibleText = string & { readonly __brand: 'VisibleText' }

/**
 * Invisible characters: controls, line and paragraph separators, lone surrogates, the Braille cell without dots, and
 * everything that Unicode has to steer a renderer (bidirectional overrides, embeddings, isolates and marks: UAX #9 §2;
 * zero-width characters, fillers, tags: UAX #44 Default_Ignorable_Code_Point).
 */
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`

/** Letters and vowel signs of the scripts that are written with the joiners (Unicode chapters 9.2 and 12). */
const JOINING_SCRIPTS = 'Arab Beng Deva Gujr Guru Knda Mlym Orya Sinh Syrc Taml Telu'
const JOINING = `[[${JOINING_SCRIPTS.replaceAll(/\w+/g, '\\p{Script_Extensions=$&}')}]&&[\\p{L}\\p{M}]]`

/**
 * The places where such characters belong: inside an emoji (UTS #51), between two letters of a script that uses
 * joiners, and after a pictograph, where they choose its presentation.
 */
const WRITTEN = [
  // The lookahead is for speed: the property of sequences is slow, and few characters begin an emoji.
  String.raw`(?=\p{Emoji})\p{RGI_Emoji}`,
  String.raw`[\u200C\u200D](?<=${JOINING}.)(?=${JOINING})`,
  String.raw`[\uFE0E\uFE0F](?<=\p{Extended_Pictographic}.)`,
].join('|')

const ANY_UNSEEN = new RegExp(UNSEEN, 'v')
const WRITTEN_OR_UNSEEN = new RegExp(`(${WRITTEN})|${UNSEEN}`, 'gv')
/** A mark without a base letter, or on top of four others: stacked marks cover the lines above and below. */
const STACKED = /(?<=^|(?:\p{M}[\u200C\u200D]?){4})\p{M}/gu

/** Replaces each character that could deceive the reader by its name: `[U+202E]`. */
export function visible(text: string): VisibleText {
  const unstacked = text.trim().replaceAll(STACKED, named)
  if (!ANY_UNSEEN.test(unstacked)) return unstacked as VisibleText
  // Marks first: a joiner is judged by the characters that remain beside it.
  return unstacked.replaceAll(
    WRITTEN_OR_UNSEEN,
    (found, written: string | undefined) => written ?? named(found),
  ) as VisibleText
}

function named(character: string): string {
  return `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`
}

/** The blocks of right-to-left characters, Arabic digits included (DerivedBidiClass.txt: R, AL, AN). */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u

/**
 * Puts text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (UAX #9 §2.4). Then a Hebrew name does not reverse
 * the sentence around it, and an Arabic sentence does not reverse an amount. HTML mails use the characters too, because
 * mail programs drop `<bdi>`. Left-to-right text inside left-to-right text stays as it is, so that users copy it clean.
 */
export function isolated(text: VisibleText, around: 'ltr' | 'rtl'): string {
  return around === 'ltr' && !RIGHT_TO_LEFT.test(text) ? text : `\u2068${text}\u2069`
}
