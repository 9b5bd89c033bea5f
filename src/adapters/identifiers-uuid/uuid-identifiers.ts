import { v7 } from 'uuid'
import type { Identifiers } from '../../application/ports/identifiers.ts'
import { idInBucketOf } from '../../domain/bucket.ts'

/**
 * UUIDv7 (RFC 9562 §5.7): rows of the same time share index pages. The bucket takes 12 of the 74 bits after time and version, and 62 stay
 * random: a counter of 32 bits with a random start in each millisecond, and 30 bits drawn for each id. They make ids unique: among a million
 * ids that many processes make in one millisecond, two are the same in one of ten million cases.
 *
 * They suffice against guesses, because an id is no secret. With a right one a caller still needs the token of the user or the client. Who
 * tries a thousand million ids a second takes 73 years for those of one millisecond and one bucket. Who knows one of them is faster, and has
 * gained as little.
 */
export class UuidIdentifiers implements Identifiers {
  next(subjectUserId: string): string {
    return idInBucketOf(subjectUserId, v7())
  }
}
