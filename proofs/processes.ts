import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** A program under measurement: a separate process, whose output goes to a file. */
export interface Program {
  readonly url: string
  readonly pid: number
  /** The exit code, or the name of the signal that killed it. Undefined while it runs. */
  ending(): number | NodeJS.Signals | undefined
  /** Sends SIGTERM, or the given signal. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

const START_TIMEOUT_IN_MS = 30_000

/** Starts `node <args>`, and resolves once it has printed its URL `times` times, once for each worker. */
export async function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  log: string,
  times = 1,
): Promise<Program> {
  const output = openSync(log, 'w')
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const url = await toldUrl(child, log, times)
  return {
    url,
    pid: child.pid!,
    ending: () => child.exitCode ?? child.signalCode ?? undefined,
    stop: (signal) => endProcess(child, signal),
  }
}

/** Resolves when the process has ended. It may have ended before. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

async function toldUrl(child: ChildProcess, log: string, times: number): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_IN_MS
  for (;;) {
    const told = [...readFileSync(log, 'utf8').matchAll(/"url":"(http[^"]+)"[^\n]*"msg":"ready"/g)]
    if (told.length >= times) return told[0]![1]!
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`a program under measurement did not start:\n${readFileSync(log, 'utf8')}`)
    }
    await wait(5)
  }
}

/** What processes have used since their start. */
export interface Usage {
  readonly cpuInMs: number
  readonly peakMemoryInMiB: number
}

/** Sums over processes and their descendants, on Linux. Zero on other systems. */
export function usageOf(...pids: readonly number[]): Usage {
  const processes = readProcesses()
  const family = new Set(pids)
  // The list is not sorted by descent, so repeat until nothing is added.
  for (let size = 0; size !== family.size; ) {
    size = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  const members = processes.filter(({ pid }) => family.has(pid))
  return {
    cpuInMs: members.reduce((sum, { cpuInMs }) => sum + cpuInMs, 0),
    peakMemoryInMiB: members.reduce((sum, { peakMemoryInMiB }) => sum + peakMemoryInMiB, 0),
  }
}

/** The clock ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const TICK_IN_MS = 10

function readProcesses() {
  return listProcesses().flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      // The name, in parentheses, may contain anything. Count fields after it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0'
      return [
        {
          pid,
          parent: Number(fields[1]),
          // User and kernel time, of the process and of its ended children.
          cpuInMs: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_IN_MS,
          peakMemoryInMiB: Number(peak) / 1024,
        },
      ]
    } catch {
      // The process has ended meanwhile.
      return []
    }
  })
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

/** The CPU that the threads of that name have used, in ms. Not a number except on Linux, which has such names. */
export function cpuOfThreads(name: string, pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`)
    return threads
      .filter((path) => readFileSync(`${path}/comm`, 'utf8').trim() === name)
      .map((path) => readFileSync(`${path}/stat`, 'latin1'))
      .map((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '))
      .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) * TICK_IN_MS, 0)
  } catch {
    return Number.NaN
  }
}

/** The memory of a process, in MiB. */
export function residentMemoryInMiB(pid: number): number {
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0'
  return Number(resident) / 1024
}
