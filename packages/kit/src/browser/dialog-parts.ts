import { element } from './element.ts'
import type { ChallengeView } from './step-up-session.ts'
import type { CodeLength } from './typed-code.ts'
import { visible } from './visible-text.ts'

/** The elements of the dialog, by their names for `::part()`. */
export type DialogParts = ReturnType<typeof buildParts>

/** Writes only what changed: screen readers read a live region again with each write. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** The lines of the operation, as the mail shows them. @param codeLength that of the code in the mail; undefined before there is one. */
export function rowsOf({ operation }: ChallengeView, codeLength: CodeLength | undefined): HTMLElement[] {
  return operation.summary.map(({ label, value }) =>
    element(
      'div',
      {},
      element('dt', { dir: 'auto' }, visible(label, codeLength)),
      element('dd', { dir: 'auto' }, visible(value, codeLength)),
    ),
  )
}

/** Shows whose challenge it is: the name, and once it has loaded the logo in its place, on the colour. */
export function showBrand({ brand, brandName, brandLogo }: DialogParts, shown: ChallengeView['brand']): void {
  brand.hidden = shown === undefined
  brandName.hidden = false
  brandLogo.hidden = true
  setText(brandName, shown?.name ?? '')
  // As properties: what is no colour is no style at all.
  brand.style.backgroundColor = shown?.color ?? ''
  brand.style.color = shown?.textColor ?? ''
  brandLogo.onload = () => {
    brandName.hidden = true
    brandLogo.hidden = false
  }
  brandLogo.alt = shown?.name ?? ''
  if (shown?.logoUrl?.startsWith('https:')) brandLogo.src = shown.logoUrl
  else brandLogo.removeAttribute('src')
}

/** Builds the elements and puts them into each other. Their texts are set as the dialog goes on. */
export function buildParts() {
  const button = (id: string) => element('button', { type: 'button', id })
  const parts = {
    brand: element('div', { id: 'brand', class: 'brand', hidden: '' }),
    brandName: element('span', { dir: 'auto' }),
    // Whose logo it is knows the page, and nobody else.
    brandLogo: element('img', { referrerpolicy: 'no-referrer', hidden: '' }),
    title: element('h2', { id: 'title' }),
    introduction: element('p', { id: 'introduction', class: 'quiet' }),
    summary: element('dl', { id: 'summary' }),
    news: element('p', { role: 'status' }),
    form: element('form', { novalidate: '' }),
    label: element('label', { for: 'code' }),
    // No maxlength: it would cut the code off a pasted sentence.
    code: element('input', {
      id: 'code',
      name: 'one-time-code',
      type: 'text',
      inputmode: 'numeric',
      autocomplete: 'one-time-code',
      enterkeyhint: 'done',
      autocapitalize: 'off',
      autocorrect: 'off',
      spellcheck: 'false',
      dir: 'ltr',
      'aria-describedby': 'validity alarm',
      'aria-required': 'true',
    }),
    validity: element('p', { id: 'validity', class: 'quiet' }),
    confirm: element('button', { type: 'submit', class: 'main' }),
    alarm: element('p', { id: 'alarm', class: 'alarm', role: 'alert' }),
    retry: button('retry'),
    resend: button('resend'),
    cancel: button('cancel'),
    close: button('close'),
    leave: element('button', { type: 'button', id: 'leave', class: 'leave' }, '×'),
    answer: element('div', { class: 'answer' }),
    entry: element('div', { class: 'entry' }),
    content: element('div', { class: 'content' }),
    dialog: element('dialog', {
      'aria-labelledby': 'title',
      'aria-describedby': 'brand introduction summary',
    }),
  }
  const { dialog, content, title, introduction, summary, answer, news, entry, form, alarm } = parts
  parts.brand.append(parts.brandName, parts.brandLogo)
  form.append(parts.label, parts.code, parts.validity, parts.confirm)
  entry.append(alarm, form)
  answer.append(news, entry)
  const actions = element('div', { class: 'actions' }, parts.retry, parts.resend, parts.cancel, parts.close)
  content.append(
    parts.brand,
    element('div', { class: 'head' }, title, parts.leave),
    introduction,
    summary,
    answer,
    actions,
  )
  dialog.append(content)
  for (const [name, each] of Object.entries(parts)) each.part.add(name === 'leave' ? 'close' : name)
  return parts
}
