import type { ServiceEvent } from '../domain/service-event.ts'

/** A service event in the JSON format of CloudEvents 1.0. */
export interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: `${typeof TYPE_PREFIX}${ServiceEvent['type']}`
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: CloudEventData
}

/** The details of the event beside what every event has. */
interface CloudEventData extends Readonly<Record<string, string | number>> {
  readonly challengeId: string
  /** A receiver compares it with its own name: the published key signs the events of all clients. */
  readonly clientId: string
  readonly subjectUserId: string
  /** A cursor: the events after this one have higher numbers. */
  readonly position: number
}

/** One for all instances, because they share their events. */
const SOURCE = '/internal/v1/mfa/challenges'
/** Keeps our types apart from those of other sources. */
const TYPE_PREFIX = 'countersign.'

/** Deliveries and lists show an event in the same way. */
export function cloudEventOf(event: ServiceEvent): CloudEvent {
  const { id, clientId, challengeId, subjectUserId, position, type, at, details } = event
  return {
    specversion: '1.0',
    id,
    source: SOURCE,
    type: `${TYPE_PREFIX}${type}`,
    subject: challengeId,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data: { ...details, challengeId, clientId, subjectUserId, position },
  }
}
