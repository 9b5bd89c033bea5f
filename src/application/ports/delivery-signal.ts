/** Wakes the deliverer of this process, so that it sends a new mail at once instead of with its next poll. */
export abstract class DeliverySignal {
  /** Never throws and never waits. The issuance is stored already, so a lost signal costs one poll interval. */
  abstract wake(issuanceId: string): void
}
