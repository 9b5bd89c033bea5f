import type { Visit } from './visits.ts'
/** The part of the bank that knows where its customers are reached, and tells Countersign. */
export declare class CustomerDirectory {
  #private
  constructor(countersignUrl: string)
  /** Tells where the customer's codes go from now on. */
  tell(visit: Visit): Promise<void>
}
