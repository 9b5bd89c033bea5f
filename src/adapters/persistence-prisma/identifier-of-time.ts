/** The lowest UUIDv7 of that millisecond. The first 48 bits are the time (RFC 9562 §5.7). */
export function lowestIdAt(instant: Date): string {
  const time = instant.getTime().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
