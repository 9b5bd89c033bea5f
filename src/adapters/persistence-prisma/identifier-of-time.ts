/** The lowest UUIDv7 of that millisecond. The first 48 bits are the time since 1970 (RFC 9562 §5.7). Nothing is earlier. */
export function lowestIdAt(instant: Date): string {
  const time = Math.max(0, instant.getTime()).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
