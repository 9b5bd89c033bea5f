import { element } from './element.ts'
import { CHANNEL, type PageExchange } from './exchange.ts'
import { queryElement } from './query-element.ts'
import { signIn } from './sign-in.ts'

/* The stage: bank and mailbox side by side, the choice of a fault, and a log of the calls between browser, bank and Countersign. */

interface Scene {
  readonly trouble: string
  readonly address: string | undefined
  /** The calls from the bank to Countersign. */
  readonly exchanges: readonly (PageExchange & { readonly idempotencyKey?: string })[]
  readonly challenge: Challenge | undefined
  /** The events that Countersign sent to the bank. */
  readonly reports: readonly { readonly id: string; readonly type: string; readonly at: string }[]
}

interface Challenge {
  readonly challengeId: string
  readonly status: string
  readonly expiresAt: string
  readonly attemptsRemaining: number
  readonly issuance: {
    readonly reference: string
    readonly recipient: string
    readonly delivery: string
    readonly expiresAt: string
  } | null
  readonly events: readonly {
    readonly type: string
    readonly occurredAt: string
    readonly actor: string
    readonly details: Readonly<Record<string, unknown>>
  }[]
}

/** A call or a decision in the log. */
interface Entry {
  readonly at: string
  readonly shown: HTMLElement
}

const LOOKS_EVERY_MS = 1500
/** Soon after a call, but only once for several calls at the same time. */
const LOOKS_AFTER_MS = 150
const LOOKS_FOR_MS = 20_000
const STEPS = ['pending', 'verified', 'consumed']
const PARTIES: Readonly<Record<string, string>> = { '/bank': 'Bank', '/internal': 'Countersign' }

const frames = {
  bank: queryElement('iframe[name=bank]', HTMLIFrameElement),
  mail: queryElement('iframe[name=mail]', HTMLIFrameElement),
}
const log = queryElement('#log')
const failure = queryElement('#failure')

let pageExchanges: PageExchange[] = []
let scene: Scene | undefined
/** Until when to poll, as a time of `performance.now()`. */
let watchUntil = 0
let looking: ReturnType<typeof setTimeout> | undefined

new BroadcastChannel(CHANNEL).addEventListener('message', ({ data }: MessageEvent<PageExchange>) => {
  if (!isShown(data)) return
  pageExchanges.push(data)
  watch()
})
for (const choice of document.querySelectorAll<HTMLInputElement>('input[name=trouble]')) {
  choice.addEventListener('change', () => void choose(choice.value))
}
queryElement('#anew').addEventListener('click', () => void startOver())
setInterval(() => {
  if (!document.hidden && performance.now() < watchUntil) void look()
}, LOOKS_EVERY_MS)

await showingFailure(async () => {
  await signIn('PUT')
  await raise()
})

/** Leaves calls for an account or a token out of the log. */
function isShown({ path }: PageExchange): boolean {
  return path === '/bank/transfers' || path.startsWith('/internal/')
}

async function raise(): Promise<void> {
  await look()
  frames.bank.src = '/bank'
  showMailbox()
}

function showMailbox(): void {
  const address = `/dev/mailbox?to=${encodeURIComponent(scene?.address ?? '')}`
  if (!frames.mail.src.endsWith(address)) frames.mail.src = address
}

async function startOver(): Promise<void> {
  await showingFailure(async () => {
    await signIn('POST')
    pageExchanges = []
    // The bank's page keeps an unfinished transfer there.
    sessionStorage.clear()
    queryElement<HTMLInputElement>('input[value=none]', HTMLInputElement).checked = true
    await raise()
  })
}

async function choose(trouble: string): Promise<void> {
  await showingFailure(async () => {
    const response = await fetch('/backstage/trouble', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ trouble }),
    })
    if (!response.ok) throw new Error('The choice could not be saved')
    await look()
    showMailbox()
  })
}

async function showingFailure(act: () => Promise<void>): Promise<void> {
  failure.textContent = ''
  try {
    await act()
  } catch (error) {
    failure.textContent = `${error instanceof Error ? error.message : error}. Is the service still running?`
  }
}

function watch(): void {
  watchUntil = performance.now() + LOOKS_FOR_MS
  clearTimeout(looking)
  looking = setTimeout(() => void look(), LOOKS_AFTER_MS)
}

async function look(): Promise<void> {
  const response = await fetch('/backstage/scene')
  if (!response.ok) throw new Error('The bank has forgotten this visitor')
  scene = (await response.json()) as Scene
  if (scene.challenge?.status === 'pending')
    watchUntil = Math.max(watchUntil, performance.now() + LOOKS_EVERY_MS * 2)
  show(scene)
}

function show({ exchanges, challenge, trouble, reports }: Scene): void {
  queryElement<HTMLInputElement>(`input[value=${trouble}]`, HTMLInputElement).checked = true
  showChallenge(challenge)
  const entries = [
    ...pageExchanges.map((each) => exchangeEntry('Browser', each)),
    ...exchanges.map((each) => exchangeEntry('Bank', each)),
    ...(challenge?.events ?? []).map(decisionEntry),
    ...reports.map(reportEntry),
  ].toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at))
  queryElement('#silence').hidden = entries.length > 0
  // Inserts only new entries, so that open ones stay open and the focus stays.
  const known = new Map([...log.children].map((entry) => [entry.getAttribute('data-key'), entry]))
  log.replaceChildren(...entries.map(({ shown }) => known.get(shown.getAttribute('data-key')) ?? shown))
}

function showChallenge(challenge: Challenge | undefined): void {
  queryElement('#challenge').hidden = challenge === undefined
  if (!challenge) return
  const { status, attemptsRemaining, issuance, expiresAt } = challenge
  const steps = STEPS.includes(status) ? STEPS : ['pending', status]
  queryElement('#steps').replaceChildren(
    ...steps.map((step) => {
      const current = step === status ? { 'aria-current': 'step' } : {}
      return element('li', { ...current, ...(STEPS.includes(step) ? {} : { class: 'ended' }) }, step)
    }),
  )
  const facts: readonly (readonly [string, string])[] = [
    ['Ends', clock(expiresAt)],
    ['Attempts left', String(attemptsRemaining)],
    ...(issuance
      ? ([
          ['Mail', `${issuance.delivery}, to ${issuance.recipient}`],
          ['Reference', issuance.reference],
          ['Code ends', clock(issuance.expiresAt)],
        ] as const)
      : []),
  ]
  queryElement('#facts').replaceChildren(
    ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  )
}

function exchangeEntry(caller: string, { at, method, path, request, status, answer }: PageExchange): Entry {
  const callee = Object.entries(PARTIES).find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'Countersign'
  const code = (answer as { code?: string } | undefined)?.code
  const tone = status === undefined || status >= 500 ? 'bad' : status < 400 ? 'good' : ''
  const shown = element(
    'li',
    { 'data-key': `${caller}${at}${method}${path}` },
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('span', { class: 'who' }, element('time', {}, clock(at)), ` ${caller} → ${callee}`),
        element('span', { class: 'call' }, `${method} ${shortened(path)}`),
        element('span', { class: `answer ${tone}` }, String(status ?? 'no answer')),
        ...(code ? [element('span', { class: 'code' }, code.slice(code.lastIndexOf(':') + 1))] : []),
      ),
      element(
        'pre',
        { tabindex: '0', 'aria-label': 'Request and answer' },
        `${pretty(request)}\n\n→ ${pretty(answer)}`,
      ),
    ),
  )
  return { at, shown }
}

function decisionEntry({ type, occurredAt, actor, details }: Challenge['events'][number]): Entry {
  const shownDetails = Object.entries(details)
    .filter(([name]) => ['attemptsRemaining', 'reason', 'kind'].includes(name))
    .map(([name, value]) => `${name} ${value}`)
  const shown = element(
    'li',
    { class: 'event', 'data-key': `${type}${occurredAt}` },
    element('time', {}, clock(occurredAt)),
    ' ',
    element('b', {}, type),
    ` by ${actor.replace(/:.*/, '')}${shownDetails.length > 0 ? ` (${shownDetails.join(', ')})` : ''}`,
  )
  return { at: occurredAt, shown }
}

function reportEntry({ id, type, at }: Scene['reports'][number]): Entry {
  const shown = element(
    'li',
    { class: 'event', 'data-key': id },
    element('time', {}, clock(at)),
    ' Countersign → Bank ',
    element('b', {}, type),
  )
  return { at, shown }
}

function clock(instant: string): string {
  return new Date(instant).toLocaleTimeString('en-GB')
}

/** Shortens ids to their ends, which distinguish them. */
function shortened(text: string): string {
  return text.replace('/internal/v1/mfa', '').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{23}([0-9a-f]{4})/g, '…$1')
}

function pretty(body: unknown): string {
  if (body === undefined || body === null) return 'no body'
  return JSON.stringify(body, undefined, 2).replaceAll(/[\w.-]{90,}/g, (long) => `${long.slice(0, 32)}…`)
}
