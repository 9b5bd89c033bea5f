/** How the pages write times: in the time zone of the mails, which is the one that a caller has read. */
export interface Times {
  readonly zone: string
  /** `28 Nov 2026, 14:03:07`. */
  full(at: Date): string
  /** `14:03:07`. */
  clock(at: Date): string
  /** The first instant of a minute of the clocks in this zone, as `2026-11-28T14:03`. Undefined if the text is no such minute. */
  minute(text: string): Date | undefined
  /** The minute on the clocks of this zone, as {@link minute} reads it. */
  wall(at: Date): string
}

export function timesIn(zone: string): Times {
  const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone })
  const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone: zone })
  return {
    zone,
    full: (at) => full.format(at),
    clock: (at) => clock.format(at),
    minute(text) {
      // Years in which mails are sent. PostgreSQL has no year 0.
      if (!/^[12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text)) return undefined
      const wall = Date.parse(`${text}:00Z`)
      if (Number.isNaN(wall)) return undefined
      // The second look is right where the clocks change between the two.
      const near = wall - offsetAt(wall, zone)
      return new Date(wall - offsetAt(near, zone))
    },
    wall: (at) => new Date(at.getTime() + offsetAt(at.getTime(), zone)).toISOString().slice(0, 16),
  }
}

/** By how much the clocks of the zone are ahead of UTC, in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, hourCycle: 'h23' },
    ...{
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    },
  }).formatToParts(instant)
  const part = (type: string) => Number(parts.find((each) => each.type === type)!.value)
  const wall = Date.UTC(
    ...([
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    ] as const),
  )
  return wall - Math.floor(instant / 1000) * 1000
}
