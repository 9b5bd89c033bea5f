/** The words of the mail in one language. All of them are ours; the details of the operation are never inside them. */
export interface Wording {
  /** BCP 47; also decides how times and durations are written. */
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
  subject(reference: string): string
  readonly title: string
  /** @param name a person's name, isolated, or undefined if there is none that can be shown. */
  greeting(name: string | undefined): string
  readonly introduction: string
  readonly codeLabel: string
  mark(reference: string): string
  validity(until: string, lifetime: string): string
  usage(reference: string): string
  readonly warningTitle: string
  readonly warning: string
  readonly footer: string
}
