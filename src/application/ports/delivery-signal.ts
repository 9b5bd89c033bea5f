/** Wakes the deliverer of this process, so that a mail leaves at once and not with the next poll. */
export abstract class DeliverySignal {
  /** Never throws and never waits: the issuance is stored, a lost signal costs one poll interval. */
  abstract wake(): void
}
