/** Amounts are whole cents: money is not for floating point. */
export type Cents = number
/** Up to here a customer's session is enough. */
export declare const COUNTERSIGNED_ABOVE: Cents
/** IBANs of documentation: right in form, of nobody. */
export declare const PAYEES: readonly [
  {
    readonly id: 'acme'
    readonly name: 'ACME GmbH'
    readonly iban: 'DE89 3704 0044 0532 0130 00'
  },
  {
    readonly id: 'bakery'
    readonly name: 'Corner Bakery'
    readonly iban: 'FR14 2004 1010 0505 0001 3M02 606'
  },
  {
    readonly id: 'landlord'
    readonly name: 'Harbour Homes'
    readonly iban: 'NL91 ABNA 0417 1643 00'
  },
]
export interface Transfer {
  readonly amount: Cents
  readonly payee: string
  readonly iban: string
  readonly reference: string
}
export interface Booking extends Transfer {
  readonly id: string
  readonly bookedAt: Date
  /** By which challenge its customer has countersigned it; undefined for one that needed none. */
  readonly challengeId: string | undefined
}
export declare class InsufficientFunds extends Error {}
export declare class Customer {
  #private
  /** A fresh one for each visitor, so that none uses up another's budgets. */
  readonly id: string
  readonly name = 'Alice Martin'
  readonly iban = 'DE02 1203 0000 0000 2020 51'
  get balance(): Cents
  /** Newest first. */
  get bookings(): readonly Booking[]
  /** @throws {InsufficientFunds} and nothing is booked. */
  pay(transfer: Transfer, challengeId: string | undefined): Booking
}
/** As a customer reads it: `EUR 1,250.00`. */
export declare function euros(amount: Cents): string
