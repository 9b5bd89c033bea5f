export {
  type EventAnswer,
  type EventHandlers,
  EventReceiver,
  type EventReceiverOptions,
} from './event-receiver.ts'
export { type EventRefusalCode, EventRefused } from './event-refused.ts'
export {
  type HandledEvents,
  RecentlyHandledEvents,
  type RecentlyHandledEventsOptions,
} from './handled-events.ts'
export { readEvent, type ServiceEvent, type ServiceEventType, type UnknownEvent } from './service-event.ts'
export type { EventHeaders } from './webhook-signatures.ts'
