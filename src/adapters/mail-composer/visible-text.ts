/** Foreign text of which every character is seen by the reader, and none changes how its neighbours are read. */
export type VisibleText = string & { readonly __brand: 'VisibleText' }

/**
 * Characters that nobody sees: controls, line and paragraph separators, lone surrogates, and all that Unicode
 * has for steering a renderer (bidirectional overrides, embeddings, isolates and marks: UAX #9 §2; zero-width
 * characters, fillers, tags: UAX #44 Default_Ignorable_Code_Point), and the Braille cell without dots. The
 * selectors of text or emoji presentation may stay where there is an emoji to present.
 */
const UNSEEN =
  /(?!(?<=\p{Emoji})[\uFE0E\uFE0F])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** A mark with nothing to stand on, or on top of four others: a pile of them covers the lines above and below. */
const STACKED = /(?<=^|\p{M}{4})\p{M}/gu

/** Text without a character that could deceive: each is replaced by its name, `[U+202E]`. */
export function visible(text: string): VisibleText {
  return text.trim().replaceAll(UNSEEN, named).replaceAll(STACKED, named) as VisibleText
}

function named(character: string): string {
  return `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`
}

/**
 * Text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (UAX #9 §2.4): a name in Hebrew does not turn
 * the sentence around it. Written as characters in HTML too, where mail programs drop `<bdi>`.
 */
export function isolated(text: VisibleText): string {
  return `\u2068${text}\u2069`
}
