import { hash } from 'node:crypto'

/*
 * Each subject is in one of 4096 buckets, and all rows about the subject carry its number. A database of several servers keeps a bucket on
 * one of them. So an id that carries the bucket leads to the rows without a search (decision 66).
 */

/** Hexadecimal digits: 12 bits. */
const DIGITS = 3

/** The first 12 bits of SHA-256 over the id of the user in UTF-8. The function `bucket_of` of the database returns the same. */
export function bucketOf(subjectUserId: string): number {
  return Number.parseInt(digitsOf(subjectUserId), 16)
}

/** The bucket that an id carries in its last 12 bits. An id from before the buckets has other bits there. */
export function bucketInId(id: string): number {
  return Number.parseInt(id.slice(-DIGITS), 16)
}

/** The id with the bucket of the subject in place of its last 12 bits. */
export function idInBucketOf(subjectUserId: string, id: string): string {
  return id.slice(0, -DIGITS) + digitsOf(subjectUserId)
}

function digitsOf(subjectUserId: string): string {
  return hash('sha256', subjectUserId).slice(0, DIGITS)
}
