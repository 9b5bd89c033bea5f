/** On whose behalf a decision is made, for the audit trail. */
export interface Provenance {
  /** `user:<id>`, `client:<id>` or `service`. */
  readonly actor: string
  /** The id of the request, where one was the cause. */
  readonly requestId?: string | undefined
}
