/**
 * Makes ids that no other instance makes: canonical lower-case UUIDs of version 7 that rise with time, so that indexes stay dense. The last
 * 12 bits are the bucket of the subject that the id belongs to.
 */
export abstract class Identifiers {
  abstract next(subjectUserId: string): string
}
