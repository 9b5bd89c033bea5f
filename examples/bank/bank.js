import { randomUUID } from 'node:crypto'
/** Up to here a customer's session is enough. */
export const COUNTERSIGNED_ABOVE = 100_00
/** IBANs of documentation: right in form, of nobody. */
export const PAYEES = [
  { id: 'acme', name: 'ACME GmbH', iban: 'DE89 3704 0044 0532 0130 00' },
  { id: 'bakery', name: 'Corner Bakery', iban: 'FR14 2004 1010 0505 0001 3M02 606' },
  { id: 'landlord', name: 'Harbour Homes', iban: 'NL91 ABNA 0417 1643 00' },
]
export class InsufficientFunds extends Error {}
export class Customer {
  /** A fresh one for each visitor, so that none uses up another's budgets. */
  id = `alice-${randomUUID().slice(0, 6)}`
  name = 'Alice Martin'
  iban = 'DE02 1203 0000 0000 2020 51'
  #balance = 12_480_50
  #bookings = []
  get balance() {
    return this.#balance
  }
  /** Newest first. */
  get bookings() {
    return this.#bookings.toReversed()
  }
  /** @throws {InsufficientFunds} and nothing is booked. */
  pay(transfer, challengeId) {
    if (transfer.amount > this.#balance) throw new InsufficientFunds()
    const booking = { ...transfer, id: randomUUID(), bookedAt: new Date(), challengeId }
    this.#balance -= transfer.amount
    this.#bookings.push(booking)
    return booking
  }
}
/** As a customer reads it: `EUR 1,250.00`. */
export function euros(amount) {
  return `EUR ${new Intl.NumberFormat('en', { minimumFractionDigits: 2 }).format(amount / 100)}`
}
