import { Errors } from 'postmark'
import {
  MailOutcomeUnknown,
  MailRefused,
  MailUnavailable,
  RecipientSuppressed,
} from '../../application/ports/mail-transport.ts'

/*
 * The error codes that concern this one mail. All others concern the token, the sender, the account or the service. The
 * same mail goes out once somebody has repaired that.
 */
const INVALID_REQUEST = 300
const INACTIVE_RECIPIENT = 406

/** A gateway answers for the server behind it, which may have accepted the mail. */
const SECOND_HAND: readonly number[] = [502, 504]

/** The message of the error that stands for a request that never left. */
const UNCONNECTED = 'no connection'
const NO_ANSWER = { reply: 'postmark no answer' } as const

/** Translates an error of the SDK into the application's terms. */
export function postmarkFailure(error: unknown): MailRefused | MailUnavailable {
  if (!(error instanceof Errors.PostmarkError)) {
    return new MailOutcomeUnknown('Postmark gave an unreadable answer', { reply: 'postmark unreadable' })
  }
  if (error.statusCode !== 0) return answered(error.statusCode, error.code)
  return error.message === UNCONNECTED
    ? new MailUnavailable('Postmark cannot be reached', NO_ANSWER)
    : new MailOutcomeUnknown('Postmark did not answer, or not in time', NO_ANSWER)
}

/** Translates a 2xx answer that does not confirm the mail into the application's terms. */
export function postmarkRefusal(answer: unknown): MailRefused | MailUnavailable {
  return answered(200, (answer as { ErrorCode?: unknown } | null)?.ErrorCode)
}

/** Numbers only: the SDK's messages contain addresses, and an ill-formed token in full. */
function answered(statusCode: number, errorCode: unknown): MailRefused | MailUnavailable {
  const code = Number.isInteger(errorCode) ? errorCode : 'missing'
  const details = `HTTP ${statusCode}, ErrorCode ${code}`
  const reply = `postmark ${statusCode}/${code}`
  if (errorCode === INVALID_REQUEST)
    return new MailRefused(`Postmark refused the mail (${details})`, { reply })
  if (errorCode === INACTIVE_RECIPIENT) {
    return new RecipientSuppressed(`Postmark sends nothing to this recipient (${details})`, { reply })
  }

  const saysNo = statusCode >= 300 && !SECOND_HAND.includes(statusCode)
  return saysNo || (Number.isInteger(errorCode) && errorCode !== 0)
    ? new MailUnavailable(`Postmark did not take the mail (${details})`, { reply })
    : new MailOutcomeUnknown(`Postmark may have taken the mail (${details})`, { reply })
}

/**
 * Translates an error of `fetch` for the SDK, which keeps only its message. Nothing was sent if the name was not found,
 * the connection was not accepted, or the certificate did not verify.
 */
export function forSdk(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined
  // An AggregateError if the host has several addresses: `fetch` tried each.
  const [first] = cause instanceof AggregateError ? cause.errors : [cause]
  const { syscall, code } = (first ?? {}) as NodeJS.ErrnoException
  const unconnected = syscall === 'connect' || syscall === 'getaddrinfo' || /CERT|SIGNATURE/.test(code ?? '')
  return unconnected ? new Error(UNCONNECTED) : error
}
