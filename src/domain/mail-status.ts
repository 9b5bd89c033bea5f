/** Enhanced mail system status codes (RFC 3463): `class.subject.detail`. */
export const MailStatus = {
  /**
   * Whether the code says that the address takes no mail (§3.2, §3.3; RFC 7505 §4.2): no such mailbox (5.1.1), no such domain (5.1.2),
   * no address at all (5.1.3), moved away (5.1.6), a domain without mail (5.1.10), a disabled mailbox (5.2.1).
   */
  refusesMailbox(code: string): boolean {
    return /^5\.(?:1\.(?:[1236]|10)|2\.1)$/.test(code)
  },
}
