import { Errors } from 'postmark'
import {
  MailOutcomeUnknown,
  MailRefused,
  MailUnavailable,
  RecipientSuppressed,
} from '../../application/ports/mail-transport.ts'

/*
 * Error codes that are about this one mail. All others are about the token, the sender, the account or the service, and
 * the same mail goes out once that is repaired.
 */
const INVALID_REQUEST = 300
const INACTIVE_RECIPIENT = 406

/** What a gateway says for whoever is behind it, who may have taken the mail. */
const SECOND_HAND: readonly number[] = [502, 504]

/** The message of the error that stands for a request which was never made. */
const UNCONNECTED = 'no connection'

/** What the SDK rejected with, as the application knows it. */
export function postmarkFailure(error: unknown): MailRefused | MailUnavailable {
  if (!(error instanceof Errors.PostmarkError)) {
    return new MailOutcomeUnknown('Postmark gave no answer that can be read')
  }
  if (error.statusCode !== 0) return answered(error.statusCode, error.code)
  return error.message === UNCONNECTED
    ? new MailUnavailable('Postmark cannot be reached')
    : new MailOutcomeUnknown('Postmark did not answer, or not in time')
}

/** What a 2xx holds that does not say the mail was taken over, as the application knows it. */
export function postmarkRefusal(answer: unknown): MailRefused | MailUnavailable {
  return answered(200, (answer as { ErrorCode?: unknown } | null)?.ErrorCode)
}

/** Says numbers only: the messages of the SDK hold addresses, and an ill-formed token whole. */
function answered(statusCode: number, errorCode: unknown): MailRefused | MailUnavailable {
  const details = `HTTP ${statusCode}, ErrorCode ${Number.isInteger(errorCode) ? errorCode : 'missing'}`
  if (errorCode === INVALID_REQUEST) return new MailRefused(`Postmark refused the mail (${details})`)
  if (errorCode === INACTIVE_RECIPIENT) {
    return new RecipientSuppressed(`Postmark sends nothing to this recipient (${details})`)
  }

  const saysNo = statusCode >= 300 && !SECOND_HAND.includes(statusCode)
  return saysNo || (Number.isInteger(errorCode) && errorCode !== 0)
    ? new MailUnavailable(`Postmark did not take the mail (${details})`)
    : new MailOutcomeUnknown(`Postmark may have taken the mail (${details})`)
}

/**
 * Of an error that `fetch` threw: the one to give to the SDK, which keeps nothing of it but the message. It is known
 * that nothing was sent if the name was not found, nobody accepted the connection, or the certificate did not verify.
 */
export function forSdk(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined
  // Several when the host has several addresses, each of which was tried.
  const [first] = cause instanceof AggregateError ? cause.errors : [cause]
  const { syscall, code } = (first ?? {}) as NodeJS.ErrnoException
  const unconnected = syscall === 'connect' || syscall === 'getaddrinfo' || /CERT|SIGNATURE/.test(code ?? '')
  return unconnected ? new Error(UNCONNECTED) : error
}
