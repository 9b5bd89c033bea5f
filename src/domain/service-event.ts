export type ServiceEventType = 'challenge-opened' | 'otp-rejected'
/** Something in the life of a challenge that its service gets to know. Contains no code, address or text of the operation. */
export interface ServiceEvent {
  /** A UUID, the same in each delivery. */
  readonly id: string
  readonly clientId: string
  readonly challengeId: string
  readonly subjectUserId: string
  /** Its place among all service events: later ones have higher numbers, with gaps. */
  readonly position: number
  readonly type: ServiceEventType
  readonly at: Date
  /** What is peculiar to the type, such as `attemptsRemaining`. */
  readonly details: Readonly<Record<string, string | number>>
}
