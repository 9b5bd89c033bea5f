import { secondsAfter } from './instant.ts'

/** Where a service gets the events of its challenges. */
export interface WebhookEndpoint {
  readonly clientId: string
  /** Undefined if the service only reads its events, with a cursor. */
  readonly url: string | undefined
  /** What its secrets are derived from, beside a key of `OTP_KEYS`. The newest first. A second one stays valid while the service changes over. */
  readonly secrets: readonly WebhookSecretOrigin[]
  /** Undefined unless its deliveries failed for too long, or it answered 410. */
  readonly pausedAt: Date | undefined
  /** Who registered it: the operator in the configuration, or the service itself. */
  readonly registeredBy: 'configuration' | 'service'
}

export interface WebhookSecretOrigin {
  /** The id of the key in `OTP_KEYS`. */
  readonly keyId: string
  /** 16 random bytes, in base64url. */
  readonly salt: string
}

/** An endpoint that failed for this long, without a success, is paused. */
const PATIENCE_IN_SECONDS = 3600
/** A paused endpoint gets one try in this time. */
const PROBE_EVERY_SECONDS = 300

/** What deliveries say about an endpoint. */
export interface EndpointHealth {
  /** Since when no delivery succeeded; undefined after a success. */
  readonly failingSince: Date | undefined
  readonly pausedAt: Date | undefined
  /** When a paused endpoint gets its next try; undefined if it gets none until somebody resumes it. */
  readonly probeAt: Date | undefined
}

export const WebhookEndpoint = {
  /** An endpoint that has been failing since then is paused. */
  pausedIfFailingSince(now: Date): Date {
    return secondsAfter(now, -PATIENCE_IN_SECONDS)
  },

  /** When an endpoint that is paused, or gets a try, gets the next one. */
  nextProbe(now: Date): Date {
    return secondsAfter(now, PROBE_EVERY_SECONDS)
  },

  /** A success ends a pause that deliveries began. One that an operator or a 410 began lasts until somebody resumes the endpoint. */
  afterSuccess(health: EndpointHealth): EndpointHealth {
    return {
      failingSince: undefined,
      pausedAt: health.probeAt ? undefined : health.pausedAt,
      probeAt: undefined,
    }
  },

  /** @param gone whether the endpoint answered 410: it wants no more, so it gets no tries either. */
  afterFailure(health: EndpointHealth, gone: boolean, now: Date): EndpointHealth {
    const failingSince = health.failingSince ?? now
    if (gone) return { failingSince, pausedAt: health.pausedAt ?? now, probeAt: undefined }
    if (health.pausedAt || failingSince > WebhookEndpoint.pausedIfFailingSince(now)) {
      return { ...health, failingSince }
    }
    return { failingSince, pausedAt: now, probeAt: WebhookEndpoint.nextProbe(now) }
  },
}
