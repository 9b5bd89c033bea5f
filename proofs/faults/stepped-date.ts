import { readFileSync } from 'node:fs'

/*
 * Loaded into a service before anything else (`--import`). It moves the service's wall clock ahead of the machine's, by the number of
 * milliseconds that the file contains at that moment. Timers run on, as they do when somebody sets a machine's clock.
 */

const file = process.env.CLOCK_OFFSET_FILE!
const MachineDate = Date
const now = () => MachineDate.now() + Number(readFileSync(file, 'utf8'))

globalThis.Date = new Proxy(MachineDate, {
  apply: () => new MachineDate(now()).toString(),
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
