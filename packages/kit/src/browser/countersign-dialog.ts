import { type DialogLanguage, type DialogWording, WORDINGS } from './dialog-languages.ts'
import { DialogLayout } from './dialog-layout.ts'
import { buildParts, rowsOf, setText, showBrand } from './dialog-parts.ts'
import { DIALOG_STYLE } from './dialog-style.ts'
import { clockTime, directionOf, filled, languageOf } from './dialog-wording.ts'
import {
  type ChallengeView,
  type Refusal,
  StepUpSession,
  type StepUpSessionOptions,
} from './step-up-session.ts'
import { normalised } from './typed-code.ts'

/**
 * How the dialog ended. After `verified`, repeat the call. `closed`: the user left it, and may go on with the same challenge later.
 *
 * The next ones say what was in the way when the user left. `unreachable`: the service did not answer. `signed-out`: it refused the
 * access token, or there was none. `not-found`: this user has no such challenge. `no-address`: there is no address to mail a code
 * to. `locked`: there were too many wrong codes. Once that is over, the user may go on with the same challenge.
 *
 * Any other value is the status of the challenge.
 */
export type DialogOutcome =
  | ChallengeView['status']
  | 'closed'
  | 'unreachable'
  | 'signed-out'
  | 'not-found'
  | 'no-address'
  | 'locked'

/** How often it looks where the mail is, for as long as that may change. */
const LOOKS_EVERY_MS = 4000
const TICKS_EVERY_MS = 1000
/** How long it shows that all is confirmed. Enter after the last digit would otherwise press a button of the page. */
const SHOWS_VERIFIED_MS = 700

/** What the user can have tried again: it may work the next time, with another token or another state of the service. */
const WORTH_ANOTHER_TRY: readonly (Refusal['reason'] | undefined)[] = [
  'unavailable',
  'signed-out',
  'not-found',
  'no-address',
]

/**
 * `<countersign-dialog>`: shows a user what they approve, asks the service to mail the code, and takes the code. If the client has a
 * brand of its own, it shows that above: the name, or the logo where the policy of the page lets it load (`img-src`). It reads everything
 * from the challenge, so it goes on where it was after the page is reloaded.
 *
 * Its language is that of the closest `lang` attribute, or else the first of the browser's languages that it knows: Arabic, Czech,
 * Danish, Dutch, English, Finnish, French, German, Greek, Hungarian, Italian, Polish, Portuguese, Romanian, Spanish, Swedish or
 * Ukrainian. If it knows none of them, it is English.
 *
 * Its colours are custom properties: `--countersign-ink` (text), `--countersign-quiet` (secondary text), `--countersign-paper`
 * (background), `--countersign-shade` (background of the form), `--countersign-line` and `--countersign-edge` (borders),
 * `--countersign-accent` and `--countersign-on-accent` (main button), `--countersign-alarm` (errors), `--countersign-good` (success).
 * Each has a default for light and dark pages. Its parts, for `::part()`: `dialog`, `brand`, `title`, `introduction`, `summary`, `news`,
 * `alarm`, `form`, `label`, `code`, `validity`, `confirm`, `resend`, `cancel`, `retry` and `close`.
 *
 * Dispatches `countersign-end` when it closes: a CustomEvent that bubbles, with `{ challengeId, outcome }` in its `detail`.
 */
export class CountersignDialog extends HTMLElement {
  #session: StepUpSession | undefined
  #challengeId = ''
  #challenge: ChallengeView | undefined
  #wording: DialogWording = WORDINGS.en
  #refusal: Refusal | undefined
  /** When a refusal for a while is over, as a reading of `performance.now()`. */
  #refusedUntil = 0
  #underWay: 'loading' | 'sending' | 'checking' | undefined
  /** What the user can have tried again. */
  #again: (() => void) | undefined
  #guessesLeft: number | undefined
  /** Which codes the lines of the operation were written beside. */
  #shownBeside = ''
  /** The brand that is shown. */
  #shownBrand: ChallengeView['brand']
  /** What is in the field, as of the latest look at it. */
  #typed = ''
  #timers: ReturnType<typeof setInterval>[] = []
  #ended: ((outcome: DialogOutcome) => void) | undefined
  readonly #parts = buildParts()
  readonly #layout = new DialogLayout(this.#parts)

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
   * @throws {Error} if the dialog is open, or if the element is not in a page.
   * @throws {TypeError} if `baseUrl` is not valid, or plain HTTP to another machine than the page's.
   */
  async countersign(options: StepUpSessionOptions): Promise<DialogOutcome> {
    if (this.#ended) throw new Error('The dialog is open')
    if (!this.isConnected) throw new Error('The element is not in a page')
    this.#session = new StepUpSession(options)
    const ended = new Promise<DialogOutcome>((resolve) => {
      this.#ended = resolve
    })
    this.#challengeId = options.challengeId
    this.#challenge = undefined
    this.#underWay = undefined
    this.#refusal = undefined
    this.#again = undefined
    this.#guessesLeft = undefined
    this.#write('')
    this.#parts.summary.replaceChildren()
    this.#showBrand(undefined)
    this.#speak(languageOf([this.closest('[lang]')?.getAttribute('lang') ?? '', ...navigator.languages]))
    this.#parts.dialog.showModal()
    this.#timers = [
      setInterval(() => this.#render(), TICKS_EVERY_MS),
      setInterval(() => void this.#lookAfterTheMail(), LOOKS_EVERY_MS),
    ]
    this.#layout.start()
    void this.#start()
    return ended
  }

  /** An element that is taken out of the page takes its dialog along. */
  disconnectedCallback(): void {
    this.#end(this.#outcome())
  }

  #listen(): void {
    const { dialog, form, code, resend, cancel, leave, close, retry } = this.#parts
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#verify()
    })
    code.addEventListener('input', (event) => this.#heedInput(event))
    // Some password managers write the value, and say so only by this event.
    code.addEventListener('change', (event) => {
      if (code.value !== this.#typed) this.#heedInput(event)
    })
    resend.addEventListener('click', () => void this.#send())
    retry.addEventListener('click', () => this.#again?.())
    cancel.addEventListener('click', () => void this.#cancel())
    for (const button of [leave, close]) button.addEventListener('click', () => this.#end(this.#outcome()))
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      this.#end(this.#outcome())
    })
    // A browser may close it all the same, as Chromium does at a second Escape.
    dialog.addEventListener('close', () => {
      if (!dialog.open) this.#end(this.#outcome())
    })
  }

  /**
   * Gives a code by itself when it arrived whole (pasted, dropped, filled in, dictated), or when its last digit was typed at the end.
   * Who deletes or corrects something is not done.
   */
  #heedInput(event: Event): void {
    const { code } = this.#parts
    const [before, after] = [this.#typed, code.value]
    this.#typed = after
    if (this.#underWay || before === after) return
    this.#forgetWhatWasTyped()

    const { inputType = '', data = null } = event as Partial<InputEvent>
    if (/^(?:delete|history)/.test(inputType)) return
    const inserted = inputType === '' ? after : (data ?? insertedInto(before, after))
    const isAtEnd =
      after.startsWith(before) && after.length > before.length && code.selectionStart === after.length
    if (isTyped(inputType, inserted)) {
      const { min, max } = this.#session!.codeLength
      const isLastDigit = normalised(after).length === max && normalised(before).length === max - 1
      if (isAtEnd && min === max && isLastDigit && this.#session!.codeIn(after)) void this.#verify()
      return
    }
    const arrived = this.#session!.codeIn(inserted)
    // Shows what is sent: the code, without the sentence around it.
    if (arrived) this.#write(arrived)
    const isWhole = isAtEnd && this.#session!.codeIn(after) !== undefined
    if (arrived || isWhole || !this.#isStart(after)) void this.#verify()
  }

  /** Whether the rest of a code may be typed after this. */
  #isStart(text: string): boolean {
    const digits = normalised(text)
    return /^\d*$/.test(digits) && digits.length < this.#session!.codeLength.max
  }

  /** What was wrong with the text in the field is over when that changes. */
  #forgetWhatWasTyped(): void {
    const reason = this.#refusal?.reason
    if (reason !== 'no-code' && reason !== 'not-a-code' && reason !== 'code-expired') return
    this.#refusal = undefined
    this.#render()
  }

  #write(text: string): void {
    this.#parts.code.value = text
    this.#typed = text
  }

  async #start(): Promise<void> {
    const session = this.#begin('loading')
    if (!session) return
    let refusal = await this.#look(session)
    if (!this.#isOpen(session)) return
    if (this.#challenge?.status === 'pending' && !this.#challenge.issuance) {
      this.#underWay = 'sending'
      this.#render()
      refusal = (await session.initiate()) ?? (await this.#look(session))
    }
    if (!this.#finish(session, refusal, () => void this.#start())) return
    this.#focus({ preventScroll: true })
    this.#parts.dialog.scrollTop = 0
  }

  async #send(): Promise<void> {
    const session = this.#begin('sending')
    if (!session) return
    this.#guessesLeft = undefined
    const refusal = await session.initiate()
    const unseen = await this.#lookAfter(refusal, session)
    if (!this.#finish(session, refusal ?? unseen, () => void this.#send())) return
    if (!refusal) this.#write('')
    this.#focus()
  }

  async #verify(): Promise<void> {
    const session = this.#begin('checking')
    if (!session) return
    const refusal = await session.verify(this.#parts.code.value)
    const unseen = await this.#lookAfter(refusal, session)
    if (!this.#finish(session, refusal ?? unseen, () => void this.#verify())) return
    if (refusal?.reason !== 'not-a-code' || !this.#isStart(this.#typed)) this.#parts.code.select()
    this.#focus()
    if (this.#challenge?.status !== 'verified') return
    await new Promise((resolve) => setTimeout(resolve, SHOWS_VERIFIED_MS))
    if (this.#isOpen(session)) this.#end('verified')
  }

  async #cancel(): Promise<void> {
    const session = this.#begin('checking')
    if (!session) return
    const refusal = await session.cancel()
    const unseen = await this.#lookAfter(refusal, session)
    if (!this.#finish(session, refusal ?? unseen, () => void this.#cancel())) return
    if (this.#challenge?.status === 'cancelled') this.#end('cancelled')
    else this.#focus()
  }

  /** One thing at a time: undefined if something is under way. */
  #begin(what: 'loading' | 'sending' | 'checking'): StepUpSession | undefined {
    if (this.#underWay || !this.#ended) return undefined
    this.#underWay = what
    this.#refusal = undefined
    this.#again = undefined
    this.#render()
    return this.#session
  }

  /** False if the dialog has ended in the meantime: what came back is of no more use. */
  #finish(session: StepUpSession, refusal: Refusal | undefined, again: () => void): boolean {
    if (!this.#isOpen(session)) return false
    this.#underWay = undefined
    if (refusal) this.#heed(refusal)
    if (WORTH_ANOTHER_TRY.includes(refusal?.reason)) this.#again = again
    this.#render()
    return true
  }

  /** Whether the dialog is still about what was asked for in this session. */
  #isOpen(session: StepUpSession): boolean {
    return session === this.#session && this.#ended !== undefined
  }

  #heed(refusal: Refusal): void {
    this.#refusal = refusal
    if (refusal.reason === 'wrong-code') this.#guessesLeft = refusal.guessesLeft
    if ('retryAfterInSeconds' in refusal) {
      this.#refusedUntil = performance.now() + refusal.retryAfterInSeconds * 1000
    }
  }

  /** Reads how the challenge stands. What it cannot read it returns, and stays with what it knew. */
  async #look(session: StepUpSession): Promise<Refusal | undefined> {
    const seen = await session.inspect()
    if (!('status' in seen)) return seen
    if (this.#isOpen(session)) this.#challenge = seen
    return undefined
  }

  /** Looks again, unless that would be refused as well, or nothing was asked. */
  async #lookAfter(refusal: Refusal | undefined, session: StepUpSession): Promise<Refusal | undefined> {
    switch (refusal?.reason) {
      case 'no-code':
      case 'not-a-code':
      case 'code-expired':
      case 'unavailable':
      case 'signed-out':
        return undefined
      default:
        return this.#look(session)
    }
  }

  async #lookAfterTheMail(): Promise<void> {
    const session = this.#session!
    const delivery = this.#challenge?.status === 'pending' && this.#challenge.issuance?.delivery
    if (this.#underWay || document.hidden || (delivery !== 'queued' && delivery !== 'sent')) return
    const seen = await session.inspect()
    if (this.#underWay || !this.#isOpen(session) || !('status' in seen)) return
    this.#challenge = seen
    this.#render()
  }

  #outcome(): DialogOutcome {
    const challenge = this.#challenge
    if (challenge && challenge.status !== 'pending') return challenge.status
    if (challenge && this.#secondsUntil(challenge.expiresAt) === 0) return 'expired'
    switch (this.#refusal?.reason) {
      case 'unavailable':
        return 'unreachable'
      case 'signed-out':
      case 'not-found':
      case 'no-address':
        return this.#refusal.reason
      case 'locked':
        return this.#isBlocked() ? 'locked' : 'closed'
      default:
        return 'closed'
    }
  }

  #end(outcome: DialogOutcome): void {
    const ended = this.#ended
    if (!ended) return
    this.#ended = undefined
    this.#session?.end()
    for (const timer of this.#timers) clearInterval(timer)
    this.#layout.stop()
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
    const { dialog, title, introduction, confirm, cancel, leave, close, retry } = this.#parts
    dialog.lang = language
    dialog.dir = directionOf(language)
    title.textContent = this.#wording.title
    introduction.textContent = this.#wording.introduction
    confirm.textContent = this.#wording.confirm
    cancel.textContent = this.#wording.cancel
    close.textContent = this.#wording.close
    leave.ariaLabel = this.#wording.close
    leave.title = this.#wording.close
    retry.textContent = this.#wording.retry
  }

  #focus(options?: FocusOptions): void {
    const { form, code, retry, close } = this.#parts
    if (!form.hidden) code.focus(options)
    else if (!retry.hidden) retry.focus(options)
    else close.focus(options)
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
      leave,
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
    if (challenge) {
      this.#showBrand(challenge.brand)
      this.#showOperation(challenge)
    }

    const answerable = pending && issuance !== null && !blocked
    form.hidden = !answerable
    if (answerable && issuance) {
      const left = this.#secondsUntil(issuance.expiresAt)
      label.textContent = filled(wording.codeLabel, { reference: issuance.reference })
      setText(validity, left > 0 ? filled(wording.validFor, { time: clockTime(left) }) : this.#codeExpired())
      // The alarm says it.
      validity.hidden = this.#refusal?.reason === 'code-expired'
    }
    confirm.disabled = busy
    code.readOnly = busy
    code.setAttribute('aria-invalid', String(this.#isCodeAtFault()))

    const resendAt = issuance?.resendAvailableAt
    const wait = Math.max(resendAt ? this.#secondsUntil(resendAt) : 0, this.#secondsTooSoon())
    resend.hidden = !pending || blocked || (issuance !== null && resendAt === null)
    resend.disabled = busy || wait > 0
    setText(resend, wait > 0 ? filled(wording.resendIn, { time: clockTime(wait) }) : wording.resend)

    cancel.hidden = !pending
    cancel.disabled = busy
    // There is always one of the two.
    leave.hidden = !answerable && !busy
    close.hidden = !leave.hidden
    retry.hidden = busy || !this.#again

    setText(news, this.#news())
    news.classList.toggle('good', challenge?.status === 'verified')
    setText(alarm, this.#alarm())
    this.#layout.update()
  }

  /** Writes whose challenge it is, once: a logo would load again with each write. */
  #showBrand(brand: ChallengeView['brand']): void {
    if (JSON.stringify(brand) === JSON.stringify(this.#shownBrand)) return
    this.#shownBrand = brand
    showBrand(this.#parts, brand)
  }

  /** Writes the lines of the operation, once, and again when it is known what a code looks like: no number may pass for one. */
  #showOperation(challenge: ChallengeView): void {
    const { summary } = this.#parts
    const codeLength = challenge.issuance ? this.#session!.codeLength : undefined
    const shown = codeLength ? `${codeLength.min}–${codeLength.max}` : ''
    if (summary.childElementCount > 0 && this.#shownBeside === shown) return
    this.#shownBeside = shown
    summary.replaceChildren(...rowsOf(challenge, codeLength))
  }

  /** What goes on, politely. */
  #news(): string {
    const [wording, challenge] = [this.#wording, this.#challenge]
    if (this.#underWay) return wording[this.#underWay]
    if (challenge?.status === 'verified') return wording.verified
    if (challenge?.status !== 'pending' || !challenge.issuance || this.#isBlocked()) return ''
    const { recipient, reference, resendAvailableAt } = challenge.issuance
    const told = filled(wording[mailStateOf(challenge.issuance)], {
      recipient: isolated(recipient),
      reference: isolated(reference),
    })
    return resendAvailableAt === null ? `${told} ${wording.noMoreCodes}` : told
  }

  /** What is in the way, at once. */
  #alarm(): string {
    const [wording, challenge, refusal] = [this.#wording, this.#challenge, this.#refusal]
    if (this.#underWay || challenge?.status === 'verified') return ''
    if (challenge && challenge.status !== 'pending') return wording[challenge.status]
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
      case 'not-a-code':
        return filled(wording.notACode, { count: this.#digits() })
      case 'code-expired':
        return this.#codeExpired()
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

  #codeExpired(): string {
    const { codeExpired, getAnother, noMoreCodes } = this.#wording
    const isLast = this.#challenge?.issuance?.resendAvailableAt === null
    return `${codeExpired} ${isLast ? noMoreCodes : getAnother}`
  }

  /** How many digits a code has, in words of every language. */
  #digits(): string {
    const { min, max } = this.#session!.codeLength
    return isolated(min === max ? String(min) : `${min}–${max}`)
  }

  #secondsTooSoon(): number {
    if (this.#refusal?.reason !== 'too-soon') return 0
    return Math.max(0, Math.ceil((this.#refusedUntil - performance.now()) / 1000))
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
    const reason = this.#refusal?.reason
    return reason !== undefined && ['wrong-code', 'no-code', 'not-a-code', 'code-expired'].includes(reason)
  }

  #secondsUntil(instant: string): number {
    return this.#session?.secondsUntil(instant) ?? 0
  }
}

/** Foreign text that does not turn the words around it (UAX #9 §2.4). */
const isolated = (text: string) => `\u2068${text}\u2069`

/** What turned one text into the other, if that was one insertion. */
function insertedInto(before: string, after: string): string {
  let start = 0
  while (start < before.length && before[start] === after[start]) start++
  const end = Math.min(before.length - start, after.length - start)
  let same = 0
  while (same < end && before.at(-1 - same) === after.at(-1 - same)) same++
  return after.slice(start, after.length - same)
}

/** A keyboard that writes several characters at once has taken them from elsewhere, as from a mail. */
function isTyped(inputType: string, inserted: string): boolean {
  return /^insert(?:Text|CompositionText|FromComposition)$/.test(inputType) && [...inserted].length <= 1
}

/** What the user can know about the mail. */
function mailStateOf({
  delivery,
  delayedAt,
}: NonNullable<ChallengeView['issuance']>): 'sent' | 'delayed' | 'undelivered' {
  if (delivery === 'bounced' || delivery === 'failed') return 'undelivered'
  return delivery === 'sent' && delayedAt !== undefined ? 'delayed' : 'sent'
}

declare global {
  interface HTMLElementTagNameMap {
    'countersign-dialog': CountersignDialog
  }
}

customElements.define('countersign-dialog', CountersignDialog)
