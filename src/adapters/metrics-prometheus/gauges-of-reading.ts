import { Gauge, type Registry } from 'prom-client'

/**
 * Adds gauges that show parts of one reading. Every worker reads the same database, so the largest value of all workers counts. Without a
 * reading a gauge is omitted.
 */
export function gaugesOfReading<Reading>(
  registry: Registry,
  lastReading: () => Promise<Reading | undefined>,
) {
  return (name: string, help: string, shown: (reading: Reading) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'max',
      async collect() {
        const reading = await lastReading()
        if (reading) this.set(shown(reading))
        else this.remove()
      },
    })
  }
}
