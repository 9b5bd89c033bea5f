import { element } from './element.ts'
import { CHANNEL, type Heard } from './exchange.ts'
import { part } from './query-element.ts'
import { enter } from './sign-in.ts'

/* The stage: the bank and the mailbox side by side, what may go wrong, and what the three of them say to each other. */

interface Scene {
  readonly trouble: string
  readonly address: string | undefined
  /** What the bank and Countersign said to each other. */
  readonly exchanges: readonly (Heard & { readonly idempotencyKey?: string })[]
  readonly challenge: Challenge | undefined
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

/** Something that was said or decided, as it stands in the log. */
interface Entry {
  readonly at: string
  readonly shown: HTMLElement
}

const LOOKS_EVERY_MS = 1500
/** Soon after something was said, but once for all that was said at the same time. */
const LOOKS_AFTER_MS = 150
const LOOKS_FOR_MS = 20_000
const STEPS = ['pending', 'verified', 'consumed']
const PARTIES: Readonly<Record<string, string>> = { '/bank': 'Bank', '/internal': 'Countersign' }

const frames = {
  bank: part('iframe[name=bank]', HTMLIFrameElement),
  mail: part('iframe[name=mail]', HTMLIFrameElement),
}
const log = part('#log')
const failure = part('#failure')

let heard: Heard[] = []
let scene: Scene | undefined
/** Until when something may still happen, as a reading of `performance.now()`. */
let watchUntil = 0
let looking: ReturnType<typeof setTimeout> | undefined

new BroadcastChannel(CHANNEL).addEventListener('message', ({ data }: MessageEvent<Heard>) => {
  if (!isTold(data)) return
  heard.push(data)
  watch()
})
for (const choice of document.querySelectorAll<HTMLInputElement>('input[name=trouble]')) {
  choice.addEventListener('change', () => void choose(choice.value))
}
part('#anew').addEventListener('click', () => void startOver())
setInterval(() => {
  if (!document.hidden && performance.now() < watchUntil) void look()
}, LOOKS_EVERY_MS)

await told(async () => {
  await enter('PUT')
  await raise()
})

/** Who looks at an account or asks for a token says nothing that is worth a line. */
function isTold({ path }: Heard): boolean {
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
  await told(async () => {
    await enter('POST')
    heard = []
    // The page of the bank remembers what is unfinished.
    sessionStorage.clear()
    part<HTMLInputElement>('input[value=none]', HTMLInputElement).checked = true
    await raise()
  })
}

async function choose(trouble: string): Promise<void> {
  await told(async () => {
    const response = await fetch('/backstage/trouble', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ trouble }),
    })
    if (!response.ok) throw new Error('That could not be arranged')
    await look()
    showMailbox()
  })
}

async function told(act: () => Promise<void>): Promise<void> {
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
  if (!response.ok) throw new Error('The bank does not know this visitor any more')
  scene = (await response.json()) as Scene
  if (scene.challenge?.status === 'pending')
    watchUntil = Math.max(watchUntil, performance.now() + LOOKS_EVERY_MS * 2)
  show(scene)
}

function show({ exchanges, challenge, trouble }: Scene): void {
  part<HTMLInputElement>(`input[value=${trouble}]`, HTMLInputElement).checked = true
  showChallenge(challenge)
  const entries = [
    ...heard.map((each) => said('Browser', each)),
    ...exchanges.map((each) => said('Bank', each)),
    ...(challenge?.events ?? []).map(decided),
  ].toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at))
  part('#silence').hidden = entries.length > 0
  // What is open stays open, and what has the focus keeps it: only what is new is put in.
  const known = new Map([...log.children].map((entry) => [entry.getAttribute('data-key'), entry]))
  log.replaceChildren(...entries.map(({ shown }) => known.get(shown.getAttribute('data-key')) ?? shown))
}

function showChallenge(challenge: Challenge | undefined): void {
  part('#challenge').hidden = challenge === undefined
  if (!challenge) return
  const { status, attemptsRemaining, issuance, expiresAt } = challenge
  const steps = STEPS.includes(status) ? STEPS : ['pending', status]
  part('#steps').replaceChildren(
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
  part('#facts').replaceChildren(
    ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  )
}

function said(who: string, { at, method, path, request, status, answer }: Heard): Entry {
  const whom = Object.entries(PARTIES).find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'Countersign'
  const code = (answer as { code?: string } | undefined)?.code
  const tone = status === undefined || status >= 500 ? 'bad' : status < 400 ? 'good' : ''
  const shown = element(
    'li',
    { 'data-key': `${who}${at}${method}${path}` },
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('span', { class: 'who' }, element('time', {}, clock(at)), ` ${who} → ${whom}`),
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

function decided({ type, occurredAt, actor, details }: Challenge['events'][number]): Entry {
  const told = Object.entries(details)
    .filter(([name]) => ['attemptsRemaining', 'reason', 'kind'].includes(name))
    .map(([name, value]) => `${name} ${value}`)
  const shown = element(
    'li',
    { class: 'event', 'data-key': `${type}${occurredAt}` },
    element('time', {}, clock(occurredAt)),
    ' ',
    element('b', {}, type),
    ` by ${actor.replace(/:.*/, '')}${told.length > 0 ? ` (${told.join(', ')})` : ''}`,
  )
  return { at: occurredAt, shown }
}

function clock(instant: string): string {
  return new Date(instant).toLocaleTimeString('en-GB')
}

/** Ids are long, and only their ends tell them apart. */
function shortened(text: string): string {
  return text.replace('/internal/v1/mfa', '').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{23}([0-9a-f]{4})/g, '…$1')
}

function pretty(body: unknown): string {
  if (body === undefined || body === null) return 'no body'
  return JSON.stringify(body, undefined, 2).replaceAll(/[\w.-]{90,}/g, (long) => `${long.slice(0, 32)}…`)
}
