/*
 * What text from elsewhere may show. The mail and the dialog have the same file, so that their readers see the same operation.
 * `test/support/visible-texts.ts` has the examples.
 */

/**
 * Foreign text in which the reader sees every character, no character changes how its neighbours are read, no number passes for our
 * code, and no program finds a link.
 */
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

/** What programs turn into a link: a dot between two parts of a name, and a colon after a scheme. IDNA reads all of these as dots. */
const OF_A_LINK =
  /(?<=[\p{L}\p{M}\p{Nd}_-])(?:[.\u2024\uFF0E]|[\u3002\uFF61](?=[a-z]))(?=\p{L}[\p{L}\p{M}\p{Nd}-])|:(?=[/\\]{2})|(?<=\b(?:mailto|tel|sms)):(?=\S)/giu

/** Numbers, alone or in groups, that are no part of a word or of a decimal. */
const NUMBERS =
  /(?<![\p{L}\p{M}\p{N}]|(?<!\p{Nd})\p{Nd}{1,3}[.,])\p{Nd}+(?:[\p{Zs}\p{Pd}\u2212]{1,3}\p{Nd}+)*(?![\p{L}\p{M}\p{N}]|[.,]\p{Nd}{1,3}(?!\p{Nd}))/gu
const BETWEEN_GROUPS = /[\p{Zs}\p{Pd}\u2212]+/u
/** As a code is dictated, digit by digit, or shown, in two groups. Dates and sort codes have others. */
const CODE_IN_GROUPS = /^(?:1(?:,1)+|[34],[34])$/
const AMOUNT_IN_GROUPS = /^(?:\d+|[123](?:,3)+)$/
const UNIT_BEFORE = /(?:\p{Sc}|(?<!\p{L})([A-Z]{3}))[\p{Zs}+\u2212-]?$/u
const UNIT_AFTER = /^\p{Zs}?(?:\p{Sc}|([A-Z]{3})(?!\p{L})|(?:Ft|kr|Kč|zł|lei)(?!\p{L}))/u
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))

/** How many digits a code has. */
interface CodeLength {
  readonly min: number
  readonly max: number
}

/**
 * Replaces each character that could deceive the reader by its name, `[U+202E]`, and puts into brackets what would make a link, as in
 * `evil[.]example`, and the first digit of a number that could be taken for the code, as in `[4]82915`. An amount of money stays.
 *
 * @param code how long the code beside this text is; undefined before anybody has a code.
 */
export function visible(text: string, code?: CodeLength): VisibleText {
  const shown = withNames(text.trim().replaceAll(STACKED, named)).replaceAll(OF_A_LINK, '[$&]')
  return (
    code ? shown.replaceAll(NUMBERS, (found, at: number) => numbers(found, at, shown, code)) : shown
  ) as VisibleText
}

function withNames(text: string): string {
  if (!ANY_UNSEEN.test(text)) return text
  // Marks first: a joiner is judged by the characters that remain beside it.
  return text.replaceAll(WRITTEN_OR_UNSEEN, (found, written: string | undefined) => written ?? named(found))
}

function numbers(found: string, at: number, text: string, { min, max }: CodeLength): string {
  const groups = found.split(BETWEEN_GROUPS)
  const lengths = groups.map((group) => [...group].length)
  const shape = lengths.join()
  const isLong = (length: number) => min <= length && length <= max
  const isCode =
    lengths.some(isLong) || (CODE_IN_GROUPS.test(shape) && isLong(lengths.reduce((sum, each) => sum + each)))
  if (!isCode || (AMOUNT_IN_GROUPS.test(shape) && isAmount(text, at, at + found.length))) return found
  if (!lengths.some(isLong)) return bracketed(found)
  return found.replaceAll(/\p{Nd}+/gu, (group) => (isLong([...group].length) ? bracketed(group) : group))
}

/** Whether a currency stands beside it. Not any three letters: `PIN 482915` is no amount. */
function isAmount(text: string, start: number, end: number): boolean {
  const beside = [UNIT_BEFORE.exec(text.slice(0, start)), UNIT_AFTER.exec(text.slice(end))]
  return beside.some((unit) => unit && (unit[1] === undefined || CURRENCIES.has(unit[1])))
}

function bracketed(number: string): string {
  const [first] = number
  return `[${first}]${number.slice(first!.length)}`
}

function named(character: string): string {
  return `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`
}
