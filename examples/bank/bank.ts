import { randomUUID } from 'node:crypto'

/* The bank itself: its customers, their money, and the payees. All of it is in memory, and ends with the process. */

/** Amounts are whole cents, because floating point would round money. */
export type Cents = number

/** Up to this amount, the customer's session is enough. */
export const COUNTERSIGNED_ABOVE: Cents = 100_00

/** IBANs from documentation: valid in form, and nobody's account. */
export const PAYEES = [
  { id: 'acme', name: 'ACME GmbH', iban: 'DE89 3704 0044 0532 0130 00' },
  { id: 'bakery', name: 'Corner Bakery', iban: 'FR14 2004 1010 0505 0001 3M02 606' },
  { id: 'landlord', name: 'Harbour Homes', iban: 'NL91 ABNA 0417 1643 00' },
] as const

export interface Transfer {
  readonly amount: Cents
  readonly payee: string
  readonly iban: string
  readonly reference: string
}

export interface Booking extends Transfer {
  readonly id: string
  readonly bookedAt: Date
  /** The challenge that confirmed the transfer. Undefined if the transfer needed no confirmation. */
  readonly challengeId: string | undefined
}

export class InsufficientFunds extends Error {}

export class Customer {
  /** A new id for each visitor, so that visitors do not use up each other's budgets. */
  readonly id = `alice-${randomUUID().slice(0, 6)}`
  readonly name = 'Alice Martin'
  readonly iban = 'DE02 1203 0000 0000 2020 51'
  #balance: Cents = 12_480_50
  readonly #bookings: Booking[] = []

  get balance(): Cents {
    return this.#balance
  }

  /** Newest first. */
  get bookings(): readonly Booking[] {
    return this.#bookings.toReversed()
  }

  /** @throws {InsufficientFunds} if the balance is too low. Then nothing is booked. */
  pay(transfer: Transfer, challengeId: string | undefined): Booking {
    if (transfer.amount > this.#balance) throw new InsufficientFunds()
    const booking = { ...transfer, id: randomUUID(), bookedAt: new Date(), challengeId }
    this.#balance -= transfer.amount
    this.#bookings.push(booking)
    return booking
  }
}

/** Formats an amount for customers: `EUR 1,250.00`. */
export function euros(amount: Cents): string {
  return `EUR ${new Intl.NumberFormat('en', { minimumFractionDigits: 2 }).format(amount / 100)}`
}
