import { DIALOG_STYLE } from './dialog-style.ts'
import {
  clockTime,
  type DialogLanguage,
  type DialogWording,
  directionOf,
  filled,
  languageOf,
  WORDINGS,
} from './dialog-wording.ts'
import { element } from './element.ts'
import {
  type ChallengeView,
  type Refusal,
  StepUpSession,
  type StepUpSessionOptions,
} from './step-up-session.ts'

/**
 * How the dialog ended. `closed`: the user left it, and may go on with the same challenge later. `unreachable`: the service never
 * answered. Any other value is the status of the challenge: after `verified`, repeat the call.
 */
export type DialogOutcome = ChallengeView['status'] | 'closed' | 'unreachable'

/** How often it looks where the mail is, for as long as that may change. */
const LOOKS_EVERY_MS = 4000
const TICKS_EVERY_MS = 1000

/**
 * `<countersign-dialog>`: shows a user what they approve, asks the service to mail the code, and takes the code. It reads everything
 * from the challenge, so it goes on where it was after the page is reloaded.
 *
 * Its language is that of the closest `lang` attribute, or else the first of the browser's languages that it knows: Arabic, Dutch,
 * English, French, German, Portuguese or Spanish. If it knows none of them, it is English.
 *
 * Its colours are custom properties: `--countersign-ink` (text), `--countersign-quiet` (secondary text), `--countersign-paper`
 * (background), `--countersign-shade` (background of the form), `--countersign-line` and `--countersign-edge` (borders),
 * `--countersign-accent` and `--countersign-on-accent` (main button), `--countersign-alarm` (errors), `--countersign-good` (success).
 * Each has a default for light and dark pages.
 *
 * Dispatches `countersign-end` when it closes: a CustomEvent that bubbles, with `{ challengeId, outcome }` in its `detail`.
 */
export class CountersignDialog extends HTMLElement {
  #session: StepUpSession | undefined
  #challengeId = ''
  #challenge: ChallengeView | undefined
  #wording: DialogWording = WORDINGS.en
  #refusal: Refusal | undefined
  /** Of what was refused for a while: when that is over, as a reading of `performance.now()`. */
  #refusedUntil = 0
  #underWay: 'loading' | 'sending' | 'checking' | undefined
  #guessesLeft: number | undefined
  #timers: ReturnType<typeof setInterval>[] = []
  #ended: ((outcome: DialogOutcome) => void) | undefined
  readonly #parts = buildParts()

  constructor() {
    super()
    const root = this.attachShadow({ mode: 'open' })
    // Not a style element, which the page's content security policy may forbid.
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(DIALOG_STYLE)
    root.adoptedStyleSheets = [sheet]
    root.append(this.#parts.dialog)
    this.#listen()
  }

  /**
   * Opens the dialog on a challenge. Asks for a first code if there was none yet.
   *
   * @returns how it ended.
   * @throws {Error} if the dialog is open.
   */
  async countersign(options: StepUpSessionOptions): Promise<DialogOutcome> {
    if (this.#ended) throw new Error('The dialog is open')
    const ended = new Promise<DialogOutcome>((resolve) => {
      this.#ended = resolve
    })
    this.#session = new StepUpSession(options)
    this.#challengeId = options.challengeId
    this.#challenge = undefined
    this.#refusal = undefined
    this.#guessesLeft = undefined
    this.#parts.code.value = ''
    this.#speak(languageOf([this.closest('[lang]')?.getAttribute('lang') ?? '', ...navigator.languages]))
    this.#parts.dialog.showModal()
    this.#timers = [
      setInterval(() => this.#render(), TICKS_EVERY_MS),
      setInterval(() => void this.#lookAfterTheMail(), LOOKS_EVERY_MS),
    ]
    void this.#start()
    return ended
  }

  /** An element that is taken out of the page takes its dialog along. */
  disconnectedCallback(): void {
    this.#end('closed')
  }

  #listen(): void {
    const { dialog, form, code, resend, cancel, close, retry } = this.#parts
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#verify()
    })
    // A whole code at once was pasted or filled in: there is nothing left to type.
    let before = ''
    code.addEventListener('input', () => {
      const typed = code.value.length - 1 <= sharedStart(before, code.value)
      before = code.value
      if (!typed && /^(?:[\s-]*\d){6,8}[\s-]*$/.test(code.value)) void this.#verify()
    })
    resend.addEventListener('click', () => void this.#send())
    retry.addEventListener('click', () => void this.#start())
    cancel.addEventListener('click', () => void this.#cancel())
    close.addEventListener('click', () => this.#end(this.#outcome()))
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      this.#end(this.#outcome())
    })
  }

  async #start(): Promise<void> {
    this.#underWay = 'loading'
    this.#refusal = undefined
    this.#render()
    await this.#look()
    if (this.#challenge?.status === 'pending' && !this.#challenge.issuance) await this.#send()
    this.#done()
    this.#focus()
  }

  async #send(): Promise<void> {
    this.#underWay = 'sending'
    this.#refusal = undefined
    this.#guessesLeft = undefined
    this.#render()
    this.#heed(await this.#session!.initiate())
    await this.#look()
    this.#parts.code.value = ''
    this.#done()
    this.#focus()
  }

  async #verify(): Promise<void> {
    if (this.#underWay) return
    this.#underWay = 'checking'
    this.#refusal = undefined
    this.#render()
    const refusal = await this.#session!.verify(this.#parts.code.value)
    this.#heed(refusal)
    if (refusal?.reason !== 'no-code' && refusal?.reason !== 'unavailable') await this.#look()
    this.#done()
    if (this.#challenge?.status === 'verified') {
      this.#end('verified')
      return
    }
    this.#parts.code.select()
    this.#focus()
  }

  async #cancel(): Promise<void> {
    this.#underWay = 'checking'
    this.#render()
    this.#heed(await this.#session!.cancel())
    await this.#look()
    this.#done()
    if (this.#challenge?.status === 'cancelled') this.#end('cancelled')
  }

  #done(): void {
    this.#underWay = undefined
    this.#render()
  }

  #heed(refusal: Refusal | undefined): void {
    if (!refusal) return
    this.#refusal = refusal
    if (refusal.reason === 'wrong-code') this.#guessesLeft = refusal.guessesLeft
    if ('retryAfterInSeconds' in refusal) {
      this.#refusedUntil = performance.now() + refusal.retryAfterInSeconds * 1000
    }
  }

  /** Reads how the challenge stands; what it cannot read it says, and stays with what it knew. */
  async #look(): Promise<void> {
    const session = this.#session!
    const seen = await session.inspect()
    if (session !== this.#session) return
    if ('status' in seen) this.#challenge = seen
    else this.#refusal ??= seen
  }

  async #lookAfterTheMail(): Promise<void> {
    const delivery = this.#challenge?.status === 'pending' && this.#challenge.issuance?.delivery
    if (this.#underWay || document.hidden || (delivery !== 'queued' && delivery !== 'sent')) return
    const seen = await this.#session!.inspect()
    if (!this.#underWay && this.#ended && 'status' in seen) this.#challenge = seen
    this.#render()
  }

  #outcome(): DialogOutcome {
    if (!this.#challenge) return 'unreachable'
    const { status } = this.#challenge
    return status === 'pending' ? 'closed' : status
  }

  #end(outcome: DialogOutcome): void {
    const ended = this.#ended
    if (!ended) return
    this.#ended = undefined
    for (const timer of this.#timers) clearInterval(timer)
    this.#parts.dialog.close()
    this.dispatchEvent(
      new CustomEvent('countersign-end', {
        bubbles: true,
        composed: true,
        detail: { challengeId: this.#challengeId, outcome },
      }),
    )
    ended(outcome)
  }

  #speak(language: DialogLanguage): void {
    this.#wording = WORDINGS[language]
    const { dialog, title, introduction, confirm, cancel, close, retry } = this.#parts
    dialog.lang = language
    dialog.dir = directionOf(language)
    title.textContent = this.#wording.title
    introduction.textContent = this.#wording.introduction
    confirm.textContent = this.#wording.confirm
    cancel.textContent = this.#wording.cancel
    close.textContent = this.#wording.close
    retry.textContent = this.#wording.retry
  }

  #focus(): void {
    const { form, code, retry, close } = this.#parts
    if (!form.hidden) code.focus()
    else if (!retry.hidden) retry.focus()
    else close.focus()
  }

  /** Shows what is known. The one place that decides what is seen. */
  #render(): void {
    if (!this.#ended) return
    const {
      introduction,
      summary,
      form,
      label,
      code,
      validity,
      confirm,
      resend,
      cancel,
      close,
      retry,
      news,
      alarm,
    } = this.#parts
    const [wording, challenge, busy] = [this.#wording, this.#challenge, this.#underWay !== undefined]
    const issuance = challenge?.issuance
    const pending = challenge?.status === 'pending' && this.#secondsUntil(challenge.expiresAt) > 0
    const blocked = this.#isBlocked()

    introduction.hidden = !pending
    summary.hidden = !challenge
    if (challenge && summary.childElementCount === 0) summary.append(...rowsOf(challenge))
    if (!challenge) summary.replaceChildren()

    const answerable = pending && issuance !== null && !blocked
    form.hidden = !answerable
    if (answerable && issuance) {
      const left = this.#secondsUntil(issuance.expiresAt)
      label.textContent = filled(wording.codeLabel, { reference: issuance.reference })
      setText(validity, left > 0 ? filled(wording.validFor, { time: clockTime(left) }) : wording.codeExpired)
    }
    confirm.disabled = busy
    code.readOnly = busy
    code.setAttribute('aria-invalid', String(this.#isCodeAtFault()))

    const resendAt = issuance?.resendAvailableAt
    const wait = resendAt ? this.#secondsUntil(resendAt) : 0
    resend.hidden = !pending || blocked || (issuance !== null && resendAt === null)
    resend.disabled = busy || wait > 0
    setText(resend, wait > 0 ? filled(wording.resendIn, { time: clockTime(wait) }) : wording.resend)

    cancel.hidden = !pending
    cancel.disabled = busy
    close.hidden = pending
    retry.hidden = busy || challenge !== undefined || this.#refusal?.reason !== 'unavailable'

    setText(news, this.#news())
    news.classList.toggle('good', challenge?.status === 'verified')
    setText(alarm, this.#alarm())
  }

  /** What goes on, politely. */
  #news(): string {
    const [wording, challenge] = [this.#wording, this.#challenge]
    if (this.#underWay) return wording[this.#underWay]
    if (challenge?.status === 'verified') return wording.verified
    if (challenge?.status !== 'pending' || !challenge.issuance || this.#isBlocked()) return ''
    const { recipient, reference, delivery, resendAvailableAt } = challenge.issuance
    const text = delivery === 'bounced' || delivery === 'failed' ? wording.undelivered : wording.sent
    const told = filled(text, { recipient: isolated(recipient), reference: isolated(reference) })
    return resendAvailableAt === null ? `${told} ${wording.noMoreCodes}` : told
  }

  /** What is in the way, at once. */
  #alarm(): string {
    const [wording, challenge, refusal] = [this.#wording, this.#challenge, this.#refusal]
    if (this.#underWay) return ''
    if (challenge && challenge.status !== 'pending' && challenge.status !== 'verified') {
      return wording[challenge.status]
    }
    if (challenge?.status === 'pending' && this.#secondsUntil(challenge.expiresAt) === 0)
      return wording.expired
    switch (refusal?.reason) {
      case undefined:
        return ''
      case 'wrong-code':
        return this.#guessesLeft === undefined
          ? wording.wrongCode
          : `${wording.wrongCode} ${filled(wording.guessesLeft, { count: String(this.#guessesLeft) })}`
      case 'no-code':
        return wording.noCode
      case 'over':
        return wording.expired
      case 'too-soon':
        // The button says it, once there is one.
        return challenge?.issuance ? '' : this.#forAWhile(wording.tooSoon)
      case 'locked':
        return this.#forAWhile(wording.locked)
      case 'no-address':
        return wording.noAddress
      case 'signed-out':
        return wording.signedOut
      case 'not-found':
        return wording.notFound
      case 'unavailable':
        return wording.unavailable
    }
  }

  #forAWhile(text: string): string {
    const left = Math.ceil((this.#refusedUntil - performance.now()) / 1000)
    return left > 0 ? filled(text, { time: clockTime(left) }) : ''
  }

  /** Whether no code helps for now: there is nobody to send one to, or nobody to take one from. */
  #isBlocked(): boolean {
    const reason = this.#refusal?.reason
    if (reason === 'locked') return performance.now() < this.#refusedUntil
    return reason === 'no-address' || reason === 'signed-out' || reason === 'not-found'
  }

  #isCodeAtFault(): boolean {
    return this.#refusal?.reason === 'wrong-code' || this.#refusal?.reason === 'no-code'
  }

  #secondsUntil(instant: string): number {
    return this.#session?.secondsUntil(instant) ?? 0
  }
}

/** Foreign text that does not turn the words around it (UAX #9 §2.4). */
const isolated = (text: string) => `\u2068${text}\u2069`

/** How many characters two texts have in common at their start. */
function sharedStart(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

/** Writes only what changed: screen readers read a live region again with each write. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

function rowsOf({ operation }: ChallengeView): HTMLElement[] {
  return operation.summary.map(({ label, value }) =>
    element('div', {}, element('dt', { dir: 'auto' }, label), element('dd', { dir: 'auto' }, value)),
  )
}

function buildParts() {
  const button = (id: string) => element('button', { type: 'button', id })
  const parts = {
    title: element('h2', { id: 'title' }),
    introduction: element('p', { id: 'introduction', class: 'quiet' }),
    summary: element('dl', { id: 'summary' }),
    news: element('p', { role: 'status' }),
    form: element('form', { novalidate: '' }),
    label: element('label', { for: 'code' }),
    code: element('input', {
      id: 'code',
      name: 'code',
      inputmode: 'numeric',
      autocomplete: 'one-time-code',
      autocapitalize: 'off',
      spellcheck: 'false',
      maxlength: '20',
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
    dialog: element('dialog', { 'aria-labelledby': 'title', 'aria-describedby': 'introduction summary' }),
  }
  const { dialog, title, introduction, summary, news, form, alarm, retry, resend, cancel, close } = parts
  form.append(parts.label, parts.code, parts.validity, parts.confirm)
  const actions = element('div', { class: 'actions' }, retry, resend, cancel, close)
  dialog.append(
    element('div', { class: 'content' }, title, introduction, summary, news, form, alarm, actions),
  )
  return parts
}

declare global {
  interface HTMLElementTagNameMap {
    'countersign-dialog': CountersignDialog
  }
}

customElements.define('countersign-dialog', CountersignDialog)
