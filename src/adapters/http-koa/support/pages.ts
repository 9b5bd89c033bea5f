import type { ReviewedChallenge } from '../../../application/challenges/review-challenge.ts'
import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { FoundSubject } from '../../../application/support/find-subject.ts'
import type { ChallengePage, ListedChallenge } from '../../../application/support/list-challenges.ts'
import type { ChallengeStatus } from '../../../domain/challenge.ts'
import { EmailAddress } from '../../../domain/email-address.ts'
import { OtpIssuance } from '../../../domain/otp-issuance.ts'
import { SUPPORT } from '../paths.ts'
import type { AgentSession } from './agent-sessions.ts'
import { callerAdvice } from './caller-advice.ts'
import { type Html, html } from './html.ts'
import { type Step, SUPPRESSIONS, type Tone, timeline } from './timeline.ts'
import { timelinePicture } from './timeline-picture.ts'
import type { Times } from './times.ts'

/* The pages of the support desk. None has a script, a code, or a whole address. */

export const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What every page of a signed-in agent needs. */
export interface View {
  readonly session: AgentSession
  readonly times: Times
  readonly now: Date
}

interface Page {
  readonly title: string
  readonly body: Html
  readonly session?: AgentSession | undefined
}

function page({ title, body, session }: Page): string {
  return `<!doctype html>\n${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Support desk</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${SUPPORT}/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top"><a class="home" href="${SUPPORT}">Countersign support desk</a>${session && signOut(session)}</header>
<main id="content" tabindex="-1">
${body}
</main>
</body>
</html>
`}`
}

function signOut(session: AgentSession): Html {
  return html`<span class="quiet">${session.agent.name}${session.agent.mayWrite ? '' : ' (may only read)'}</span>
<form method="post" action="${SUPPORT}/sign-out">${formToken(session)}<button class="calm">Sign out</button></form>`
}

function formToken(session: AgentSession): Html {
  return html`<input type="hidden" name="form-token" value="${session.formToken}">`
}

/** A page that says one thing. @param more where to go on. */
export function message(
  title: string,
  text: string,
  more: { readonly href: string; readonly label: string } = { href: SUPPORT, label: 'To the support desk' },
  session?: AgentSession,
): string {
  const body = html`<section class="card">
<h1>${title}</h1>
<p>${text}</p>
<p><a href="${more.href}">${more.label}</a></p>
</section>`
  return page({ title, body, session })
}

/** The page on which an agent starts to look. @param nothing what was looked for and not found. */
export function startPage({ session, times, now }: View, nothing?: string): string {
  const body = html`<h1>Find a user or a confirmation</h1>
${nothing && html`<p class="card problem" role="status">${nothing}</p>`}
<div class="finders">
<section aria-labelledby="by-id"><h2 id="by-id">By id</h2>
<form action="${SUPPORT}/find">
<label>Id of a user or of a challenge <input name="id" required maxlength="255" autocomplete="off" spellcheck="false" autocapitalize="off"></label>
<button>Find</button>
</form></section>
<section aria-labelledby="by-address"><h2 id="by-address">By address</h2>
<form method="post" action="${SUPPORT}/find-address">${formToken(session)}
<label>E-mail address, or its hash <input name="address" required maxlength="254" autocomplete="off" spellcheck="false" autocapitalize="off" inputmode="email"></label>
<button>Find</button>
</form>
<p class="quiet">The address is hashed at once, and no page or log shows it.</p></section>
<section aria-labelledby="by-mark"><h2 id="by-mark">By the mail</h2>
<form action="${SUPPORT}/find-mail">
<label>Mark in the subject line, two letters <input name="mark" required pattern="[A-Za-z]{2}" maxlength="2" autocomplete="off" spellcheck="false" autocapitalize="characters"></label>
<label>Minute of the mail (${times.zone}) <input type="datetime-local" name="minute" required value="${times.wall(now)}"></label>
<button>Find</button>
</form></section>
</div>`
  return page({ title: 'Find', body, session })
}

const STATUSES: Readonly<Record<ChallengeStatus, { readonly words: string; readonly tone: Tone }>> = {
  pending: { words: 'waits for the code', tone: 'wait' },
  verified: { words: 'confirmed, not used yet', tone: 'good' },
  consumed: { words: 'confirmed and used', tone: 'good' },
  exhausted: { words: 'all attempts used up', tone: 'bad' },
  cancelled: { words: 'cancelled', tone: 'bad' },
  expired: { words: 'time is over', tone: 'bad' },
}

function statusOf(status: ChallengeStatus): Html {
  const { words, tone } = STATUSES[status]
  return html`<span class="status ${tone}">${words}</span>`
}

export function userPath(userId: string, action = ''): string {
  return `${SUPPORT}/user${action}?${new URLSearchParams({ id: userId })}`
}

export function challengePath(challengeId: string): string {
  return `${SUPPORT}/challenges/${challengeId}`
}

/** One challenge: what to tell the caller, and what happened. */
export function challengePage(view: View, reviewed: ReviewedChallenge): string {
  const { session, times, now } = view
  const { challenge, status, issuance, subject, events } = reviewed
  const advice = callerAdvice(reviewed, now, times.full)
  const actions = session.agent.mayWrite
    ? [
        subject.lockedUntil && actionLink(challenge.subjectUserId, 'unlock', 'Unlock the user …'),
        subject.suppressed && actionLink(challenge.subjectUserId, 'lift', 'Lift the suppression …'),
      ]
    : []
  const body = html`<div class="actions"><h1>Confirmation of ${challenge.operation.type}</h1>${statusOf(status)}</div>
${adviceCard(advice, actions)}
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>
<dl>
<dt>User</dt><dd><a href="${userPath(challenge.subjectUserId)}">${challenge.subjectUserId}</a></dd>
<dt>Service</dt><dd>${challenge.clientId}</dd>
<dt>Asked for</dt><dd>${time(challenge.createdAt, times)}</dd>
<dt>${now < challenge.expiresAt ? 'Ends' : 'Ended'}</dt><dd>${time(challenge.expiresAt, times)}</dd>
<dt>Wrong codes left</dt><dd>${challenge.attemptsRemaining} for this confirmation, ${subject.attemptsRemaining} for the user</dd>
<dt>Newest mail</dt><dd>${issuance ? mailOf(issuance) : 'none yet'}</dd>
<dt>Challenge</dt><dd>${challenge.id}</dd>
</dl></section>
${history(timeline(events, times.full), times)}`
  return page({ title: `Confirmation of ${challenge.operation.type}`, body, session })
}

/** A challenge that is past its retention: its events are kept for longer. */
export function purgedPage(
  { session, times }: View,
  challengeId: string,
  events: readonly [RecordedEvent, ...RecordedEvent[]],
): string {
  const [{ subjectUserId }] = events
  const body = html`<h1>An old confirmation</h1>
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>
<p>The confirmation is deleted, because its retention is over. What happened is kept for longer.</p>
<dl>
<dt>User</dt><dd><a href="${userPath(subjectUserId)}">${subjectUserId}</a></dd>
<dt>Challenge</dt><dd>${challengeId}</dd>
</dl></section>
${history(timeline(events, times.full), times)}`
  return page({ title: 'An old confirmation', body, session })
}

function adviceCard(advice: readonly string[], actions: readonly (Html | false | undefined)[]): Html {
  const shown = actions.filter((action) => action instanceof Object)
  return html`<section class="say" aria-labelledby="say"><h2 id="say">What to tell the caller</h2>
<ul>${advice.map((line) => html`<li>${line}</li>`)}<li>Never ask for the code, and never read one out: you cannot see it.</li></ul>
${shown.length > 0 && html`<p class="actions">${shown}</p>`}</section>`
}

function actionLink(userId: string, action: 'unlock' | 'lift', label: string): Html {
  return html`<a class="button" href="${userPath(userId, `/${action}`)}">${label}</a>`
}

function mailOf(issuance: OtpIssuance): string {
  const { number, recipient, status } = issuance
  return `number ${number}, mark ${OtpIssuance.reference(issuance)}, to ${EmailAddress.mask(recipient)}: ${status}`
}

function history(steps: readonly Step[], times: Times): Html {
  return html`<div class="columns">
<section aria-labelledby="words"><h2 id="words">What happened</h2>
<p class="quiet">Times are in ${times.zone}.</p>
<ol class="steps">${steps.map(
    ({ at, words, tone, by }) =>
      html`<li class="${tone}"><time datetime="${at.toISOString()}" title="${times.full(at)}">${times.clock(at)}</time> <span>${words}${by && html` <span class="quiet">By ${by}.</span>`}</span></li>`,
  )}</ol></section>
<section aria-labelledby="picture"><h2 id="picture">As a picture</h2>
${timelinePicture(steps, times.clock)}</section>
</div>`
}

function time(at: Date, times: Times): Html {
  return html`<time datetime="${at.toISOString()}">${times.full(at)}</time>`
}

/** How a user stands, and their challenges. @param done what was just done. */
export function userPage(
  { session, times }: View,
  subject: FoundSubject,
  { challenges, next }: ChallengePage,
  done?: Done,
): string {
  const { subjectUserId, lockedUntil, standing } = subject
  const { suppression } = standing
  const suppressed = suppression?.address !== undefined ? suppression : undefined
  const body = html`<h1>User ${subjectUserId}</h1>
${done && html`<p class="card done" role="status">${DONE[done]}</p>`}
<section aria-labelledby="standing"><h2 id="standing">How the user stands</h2>
<dl>
<dt>Lock</dt><dd>${lockedUntil ? html`<span class="status bad">locked</span> until ${time(lockedUntil, times)}` : 'none'}</dd>
<dt>Address</dt><dd>${addressOf(subject)}</dd>
<dt>Mails</dt><dd>${
    suppressed
      ? html`<span class="status bad">suppressed</span> since ${time(suppressed.at, times)}: ${SUPPRESSIONS[suppressed.reason]}${subject.isUnreachable ? '' : '. That was an address before the present one'}`
      : 'are sent'
  }</dd>
<dt>Wrong codes left</dt><dd>${subject.attemptsRemaining}</dd>
<dt>Codes in the last hour</dt><dd>${subject.issuancesOfLastHour}</dd>
${subject.noCodeUntil && html`<dt>No code until</dt><dd>${time(subject.noCodeUntil, times)}</dd>`}
</dl>
${
  session.agent.mayWrite &&
  (lockedUntil || suppressed) &&
  html`<p class="actions">${lockedUntil && actionLink(subjectUserId, 'unlock', 'Unlock the user …')}${suppressed && actionLink(subjectUserId, 'lift', 'Lift the suppression …')}</p>`
}</section>
<section aria-labelledby="challenges"><h2 id="challenges">Confirmations</h2>
${challenges.length === 0 ? html`<p>This user has no confirmations.</p>` : challengeList(challenges, times)}
${next && html`<p><a href="${userPath(subjectUserId)}&amp;after=${`${next.expiresAt.getTime()}.${next.id}`}">Older ones</a></p>`}</section>`
  return page({ title: `User ${subjectUserId}`, body, session })
}

function challengeList(challenges: readonly ListedChallenge[], times: Times): Html {
  return html`<ol class="list">${challenges.map(
    ({ challenge, status }) =>
      html`<li><span class="actions"><a href="${challengePath(challenge.id)}">${challenge.operation.type}</a>${statusOf(status)}</span>
<span class="quiet">${time(challenge.createdAt, times)}, for ${challenge.clientId}</span></li>`,
  )}</ol>`
}

/** The users who have one address. */
export function usersPage({ session }: View, userIds: readonly string[]): string {
  const body = html`<h1>Users with this address</h1>
<section class="card"><ul class="list">${userIds.map((id) => html`<li><a href="${userPath(id)}">${id}</a></li>`)}</ul></section>`
  return page({ title: 'Users with this address', body, session })
}

/** The challenges that a mail with this mark may be about. */
export function markedPage(
  { session, times }: View,
  mark: string,
  found: readonly ListedChallenge[],
): string {
  const body = html`<h1>Mails with the mark ${mark}</h1>
<section class="card"><p>The mails of several users may have one mark. Let the caller say what the operation was.</p>
${challengeList(found, times)}</section>`
  return page({ title: `Mark ${mark}`, body, session })
}

/** A page shows the first letter of an address, and the domain. */
function addressOf({ whereabouts }: FoundSubject): string {
  if (whereabouts.user) return EmailAddress.mask(whereabouts.user.email)
  return {
    absent: 'the directory does not know this user',
    disabled: 'the directory has disabled this user',
    'no-address': 'the directory has no usable address',
  }[whereabouts.because]
}

/** What an agent did, as the page after it says. */
export type Done = keyof typeof DONE

const DONE = {
  unlocked: 'The user is unlocked. A mail tells them, if their address takes mails.',
  'not-locked': 'Nothing was done: the user was not locked any more.',
  lifted: 'The suppression is lifted. The address gets mails again.',
} as const

export function isDone(text: unknown): text is Done {
  return typeof text === 'string' && Object.hasOwn(DONE, text)
}

const CONFIRMATIONS = {
  unlock: {
    title: 'Unlock this user?',
    words: [
      'The lock protects the user from somebody who guesses codes. Unlock only if you are sure who calls.',
      'The lock ends at once. The next one lasts as long as if this one had run out.',
      'A mail tells the user that the support has ended the lock. Your name is kept with it, not in the mail.',
    ],
    button: 'Unlock',
  },
  lift: {
    title: 'Lift the suppression?',
    words: [
      'The address gets no mails because one came back, or because its reader did not want it. Lift this only if the cause is mended.',
      'The next code is mailed again. If that mail comes back, the address is suppressed again.',
    ],
    button: 'Lift the suppression',
  },
} as const

/** Asks once more before something is done. */
export function confirmationPage(session: AgentSession, action: 'unlock' | 'lift', userId: string): string {
  const { title, words, button } = CONFIRMATIONS[action]
  const body = html`<section class="card"><h1>${title}</h1>
<dl><dt>User</dt><dd>${userId}</dd></dl>
${words.map((line) => html`<p>${line}</p>`)}
<form method="post" action="${SUPPORT}/user/${action}">${formToken(session)}<input type="hidden" name="id" value="${userId}">
<p class="actions"><button>${button}</button> <a href="${userPath(userId)}">No, go back</a></p></form></section>`
  return page({ title, body, session })
}
