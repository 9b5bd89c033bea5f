import { CountersignClient } from '@countersign/kit/client'
import { developmentToken } from './access-token.ts'
import { recordedFetch } from './exchange.ts'
import { addressOf } from './scenario.ts'
import type { Visit } from './visits.ts'

/** The part of the bank that knows its customers' addresses, and sends them to Countersign. */
export class CustomerDirectory {
  readonly #client: CountersignClient

  constructor(countersignUrl: string) {
    this.#client = new CountersignClient({
      baseUrl: countersignUrl,
      accessToken: () => developmentToken(countersignUrl, { client_id: 'crm', scope: 'mfa:users:write' }),
      fetch: recordedFetch,
    })
  }

  /** Sends the address that receives the customer's codes from now on. */
  async update(visit: Visit): Promise<void> {
    const { customer, trouble } = visit
    const email = addressOf(customer.id, trouble)
    await this.#client.putUser(customer.id, { email, locale: 'en', displayName: customer.name })
    visit.address = email
  }
}
