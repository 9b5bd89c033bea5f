import { v7 } from 'uuid'
import type { Identifiers } from '../../application/ports/identifiers.ts'

/** UUIDv7 (RFC 9562 §5.7): rows of the same time share index pages, and 74 random bits make ids unique. */
export class UuidIdentifiers implements Identifiers {
  next(): string {
    return v7()
  }
}
