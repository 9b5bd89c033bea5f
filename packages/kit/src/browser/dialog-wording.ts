import { type DialogLanguage, LANGUAGES } from './dialog-languages.ts'

/** The first of the reader's languages that there are words in, else English. @param tags BCP 47, the most wanted first. */
export function languageOf(tags: readonly string[]): DialogLanguage {
  for (const tag of tags) {
    const language = tag.toLowerCase().split('-')[0]
    const known = LANGUAGES.find((each) => each === language)
    if (known) return known
  }
  return 'en'
}

export const directionOf = (language: DialogLanguage): 'ltr' | 'rtl' => (language === 'ar' ? 'rtl' : 'ltr')

/** @param values text for each name in braces. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (braces, name: string) => values[name] ?? braces)
}

/** As on a clock: 0:05, 14:59, and hours where there are any. */
export function clockTime(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const padded = (part: number) => String(part).padStart(2, '0')
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`
}
