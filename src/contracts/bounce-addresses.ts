/**
 * The addresses to which mail systems send their notices about our mails. Each mail has one of its own, which proves to this service
 * which mail a notice is about (VERP: variable envelope return path).
 */
export abstract class BounceAddresses {
  /**
   * The envelope sender of the mail of an issuance.
   *
   * @param issuanceId a canonical UUID.
   * @param domain that of the brand. Undefined: the one of all others.
   */
  abstract of(issuanceId: string, domain?: string): string

  /**
   * The issuance that a bounce address is about, in any case. `forged`: it has the form of a bounce address, and this service did not
   * make it. Undefined: it is no bounce address.
   */
  abstract issuanceOf(address: string): string | 'forged' | undefined
}
