import './exchange-channel.ts'
import type { CountersignDialog } from '@countersign/kit/browser'
import { element } from './element.ts'
import { queryElement } from './query-element.ts'
import { signIn } from './sign-in.ts'

/* The front end of the bank, as an integrator writes it: it uses its own back end and the kit's dialog. */

interface Account {
  readonly name: string
  readonly iban: string
  readonly balance: string
  readonly bookings: readonly Booking[]
  readonly payees: readonly { readonly id: string; readonly name: string }[]
}

interface Booking {
  readonly bookedAt: string
  readonly amount: string
  readonly payee: string
  readonly reference: string
  readonly countersigned: boolean
}

interface Order {
  readonly payeeId: string
  readonly amount: string
  readonly reference: string
}

type Summary = readonly { readonly label: string; readonly value: string }[]

/** A transfer that waits for its customer's countersignature. It is kept while this tab is open. */
interface Unfinished {
  readonly order: Order
  readonly challengeId: string
  readonly signature: string
}

interface Answer {
  readonly status: number
  readonly code?: string
  readonly challengeId?: string
  readonly signature?: string
  /** The summary of the operation that the bank received, if it is not the countersigned one. */
  readonly arrived?: Summary
}

const UNFINISHED = 'unfinished-transfer'
const REFUSALS: Readonly<Record<string, string>> = {
  INSUFFICIENT_FUNDS: 'There is not enough in your account for this transfer.',
  BAD_REQUEST: 'The bank did not understand this transfer.',
  STEP_UP_UNAVAILABLE:
    'Countersigning is not possible for the moment. Nothing was transferred; try again in a minute.',
  OPERATION_UNDER_WAY: 'This transfer is being carried out. Look at it again in a moment.',
  OUTCOME_NOT_KNOWN: 'Look at your transfers before you try again: this one may have been carried out.',
  NO_ANSWER:
    'The bank did not answer. The transfer may have been carried out: look at your transfers before you try again.',
  CHALLENGE_ALREADY_CONSUMED: 'This countersignature was used before. Start the transfer again.',
}
const MAY_BE_ASKED_AGAIN = ['NO_ANSWER', 'OPERATION_UNDER_WAY', 'STEP_UP_UNAVAILABLE']
/** The outcomes of a dialog that end the transfer. */
const ENDS: Readonly<Record<string, string>> = {
  expired: 'The time for countersigning has run out. Nothing was transferred.',
  exhausted: 'Too many wrong codes. Nothing was transferred.',
  cancelled: 'You have cancelled the transfer. Nothing was transferred.',
}

const form = queryElement('form', HTMLFormElement)
const payee = queryElement('#payee', HTMLSelectElement)
const amount = queryElement('#amount', HTMLInputElement)
const reference = queryElement('#reference', HTMLInputElement)
const amountFault = queryElement('#amount-fault')
const notice = queryElement('#notice')
const refusal = queryElement('#refusal')
const submit = queryElement('form button', HTMLButtonElement)
const unfinishedPart = queryElement('#unfinished')
const dialog: CountersignDialog = document.querySelector('countersign-dialog')!

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const order = orderInForm()
  if (order) void busy(() => transfer(order))
})
amount.addEventListener('input', () => showAmountFault(false))
queryElement('#continue').addEventListener('click', () => void busy(countersign))
queryElement('#forget').addEventListener('click', () => {
  forget()
  form.querySelector('button')?.focus()
})

await signIn('PUT')
const account = await readAccount()
payee.append(...account.payees.map(({ id, name }) => element('option', { value: id }, name)))
showAccount(account)
showUnfinished()

/** The order in the form. If the amount is invalid, shows that and returns undefined. */
function orderInForm(): Order | undefined {
  const euros = /^\s*(\d{1,3}(?:,?\d{3})*|\d+)(?:\.(\d{1,2}))?\s*$/.exec(amount.value)
  const whole = (euros?.[1] ?? '').replaceAll(',', '').replace(/^0+(?=\d)/, '')
  const text = `${whole}.${(euros?.[2] ?? '').padEnd(2, '0')}`
  const isAmount = /^(?!0\.00$)\d{1,7}\.\d{2}$/.test(text)
  showAmountFault(!isAmount)
  if (!isAmount) {
    amount.focus()
    return undefined
  }
  return { payeeId: payee.value, amount: text, reference: reference.value.trim() }
}

function showAmountFault(isAtFault: boolean): void {
  amountFault.hidden = !isAtFault
  amount.setAttribute('aria-invalid', String(isAtFault))
}

async function transfer(order: Order): Promise<void> {
  forget()
  say(undefined)
  const answer = await ask(order)
  if (!demands(order, answer)) return show(order, answer)
  await countersign()
}

/** Lets the customer countersign the unfinished transfer, and sends it to the bank again. */
async function countersign(): Promise<void> {
  const { order, challengeId, signature } = unfinished()!
  say(undefined)
  const outcome = await dialog.countersign({ challengeId, accessToken: ownToken })
  if (outcome === 'verified' || outcome === 'consumed') {
    const answer = await ask(order, { 'plmr-mfa-challenge-id': challengeId, 'plmr-mfa-signature': signature })
    // A customer who took too long must countersign again.
    if (demands(order, answer)) return countersign()
    // Asked again, the bank says what became of it. It makes no second transfer.
    if (!MAY_BE_ASKED_AGAIN.includes(answer.code ?? '')) forget()
    return show(order, answer)
  }
  if (outcome in ENDS) {
    forget()
    refuse(ENDS[outcome]!)
  }
  showUnfinished()
}

/** Whether the bank demands a countersignature. If so, keeps the transfer. */
function demands(order: Order, { code, challengeId, signature }: Answer): boolean {
  if (code !== 'STEP_UP_REQUIRED' || !challengeId || !signature) return false
  sessionStorage.setItem(UNFINISHED, JSON.stringify({ order, challengeId, signature } satisfies Unfinished))
  return true
}

function unfinished(): Unfinished | undefined {
  return JSON.parse(sessionStorage.getItem(UNFINISHED) ?? 'null') ?? undefined
}

function forget(): void {
  sessionStorage.removeItem(UNFINISHED)
  showUnfinished()
}

async function ask(order: Order, headers: Record<string, string> = {}): Promise<Answer> {
  try {
    const response = await fetch('/bank/transfers', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(order),
    })
    const answer = { ...(await response.json()), status: response.status }
    // Nothing ran if the kit says so. Any other failure may have come after the transfer.
    return answer.status < 500 || answer.code === 'STEP_UP_UNAVAILABLE'
      ? answer
      : { ...answer, code: 'NO_ANSWER' }
  } catch {
    return { status: 503, code: 'NO_ANSWER' }
  }
}

async function readAccount(): Promise<Account> {
  return (await fetch('/bank/account')).json()
}

async function ownToken(): Promise<string> {
  const { accessToken } = await (await fetch('/bank/token')).json()
  return accessToken
}

async function show(order: Order, answer: Answer): Promise<void> {
  const to = account.payees.find(({ id }) => id === order.payeeId)?.name ?? ''
  const asked = `EUR ${Number(order.amount).toLocaleString('en', { minimumFractionDigits: 2 })}`
  showUnfinished()
  showAccount(await readAccount())
  if (answer.status === 202) {
    say(`${asked} transferred to ${to}${answer.challengeId ? ', countersigned by you' : ''}.`)
  } else if (answer.arrived) {
    refuse('The bank has refused the transfer: it is not the one that you have countersigned.', [
      comparison(asked, answer.arrived),
      element(
        'p',
        {},
        'A countersignature is valid for one operation, to the last cent. If somebody changes the operation on its way, the countersignature does not fit any more.',
      ),
    ])
  } else {
    refuse(REFUSALS[answer.code ?? ''] ?? 'The bank could not do that. Nothing was transferred.')
  }
}

/** Compares the countersigned amount with the one that arrived at the bank. */
function comparison(asked: string, arrived: Summary): HTMLElement {
  const rows = arrived
    .filter(({ label }) => label === 'Amount')
    .map(({ label, value }) =>
      element(
        'tr',
        { class: value === asked ? '' : 'differs' },
        element('th', { scope: 'row' }, label),
        element('td', {}, asked),
        element('td', {}, value),
      ),
    )
  const head = ['', 'You countersigned', 'The bank was asked for'].map((text) =>
    text === '' ? element('td', {}) : element('th', { scope: 'col' }, text),
  )
  return element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows))
}

function say(text: string | undefined): void {
  notice.textContent = text ?? ''
  refusal.replaceChildren()
}

function refuse(text: string, more: readonly HTMLElement[] = []): void {
  notice.textContent = ''
  refusal.replaceChildren(element('strong', {}, text), ...more)
}

function showAccount({ name, iban, balance, bookings }: Account): void {
  queryElement('#customer').textContent = name
  queryElement('#iban').textContent = iban
  queryElement('#balance').textContent = balance
  queryElement('#no-bookings').hidden = bookings.length > 0
  queryElement('#bookings').replaceChildren(...bookings.map(bookingEntry))
}

function bookingEntry({ amount, payee, reference, bookedAt, countersigned }: Booking): HTMLElement {
  const time = new Date(bookedAt).toLocaleTimeString('en-GB', { timeStyle: 'short' })
  return element(
    'li',
    {},
    element('span', {}, payee),
    element('span', { class: 'amount' }, `−${amount}`),
    element('span', { class: 'details' }, [time, reference].filter(Boolean).join(' · ')),
    element('span', { class: 'mark' }, countersigned ? '✓ countersigned' : ''),
  )
}

function showUnfinished(): void {
  const waiting = unfinished()
  unfinishedPart.hidden = waiting === undefined
  if (!waiting) return
  const to = account.payees.find(({ id }) => id === waiting.order.payeeId)?.name
  queryElement('#unfinished-order').textContent = `EUR ${waiting.order.amount} to ${to}`
}

async function busy(act: () => Promise<void>): Promise<void> {
  if (submit.disabled) return
  submit.disabled = true
  try {
    await act()
  } finally {
    submit.disabled = false
  }
}
