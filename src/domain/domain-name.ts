/** The characters of a host name (RFC 1123 §2.1), and all that are not ASCII. No others mean anything to the URL parser. */
const HOST_NAME_OR_BEYOND = /^(?:[A-Za-z0-9.-]|\P{ASCII})+$/u
/** No label begins or ends with a hyphen. UTS #46 §4 names the dots. */
const HYPHEN_AT_AN_EDGE = /(?:^|[.\u3002\uff0e\uff61])-|-(?:[.\u3002\uff0e\uff61]|$)/
/** The URL parser reads a domain that ends in a number as an IPv4 address: `１.２` as `1.0.0.2`. No other domain ends so. */
const IPV4_ADDRESS = /\.\d+$/

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
/** Two labels or more, and no IPv4 address. */
const FULL_NAME = new RegExp(`^(?=.{1,253}$)(?:${LABEL}\\.)+(?!\\d+$)${LABEL}$`)

export const DomainName = {
  /** Whether the text is a host name with its domain, in ASCII. */
  isFull(text: string): boolean {
    return FULL_NAME.test(text)
  },

  /**
   * Writes an internationalised domain as its A-labels: `bücher.example` becomes `xn--bcher-kva.example`. Every spelling of a
   * domain becomes the same text. A domain in ASCII stays as it is, and its form is not checked.
   *
   * Uses the URL parser, which has the "domain to ASCII" of UTS #46 built in. Undefined if it cannot read the domain.
   */
  toAscii(text: string): string | undefined {
    if (/^\p{ASCII}*$/u.test(text)) return text
    if (!HOST_NAME_OR_BEYOND.test(text) || HYPHEN_AT_AN_EDGE.test(text)) return undefined
    const url = URL.parse(`ws://${text}`)
    return !url || IPV4_ADDRESS.test(url.hostname) ? undefined : url.hostname
  },
}
