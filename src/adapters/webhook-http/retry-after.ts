const DATE = /^[A-Z][a-z]{2}, .* GMT$/
const LONGEST_IN_SECONDS = 24 * 3600

/** The pause that an answer asks for (RFC 9110 §10.2.3): seconds, or a date. A day at most. */
export function retryAfterOf(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined
  const date = DATE.test(header) ? Date.parse(header) : Number.NaN
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : Math.ceil((date - now.getTime()) / 1000)
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), LONGEST_IN_SECONDS)
}
