/*
 * npm starts a program through a shell. On SIGTERM, npm passes the signal to that shell only. dash and busybox end without passing it
 * on, and the program would keep its ports. The scripts of package.json replace the shell (`exec`), but the one of `npx` remains.
 */

/** npm sets this for the scripts of package.json, and for `npx`. */
// biome-ignore lint/style/noProcessEnv: npm sets the variable, and not the operator, so it is no part of the configuration.
const underNpm = process.env.npm_lifecycle_event !== undefined
/** Read at once, because the shell may end during the start. */
const launcher = process.ppid

const LOOK_EVERY_MS = 250
/** Ctrl-C reaches every process of the terminal. npm then passes on its own copy, so one key arrives twice. */
const SAME_SIGNAL_WITHIN_MS = underNpm ? 1000 : 0

/** Calls back once when npm, or the shell between npm and this process, has ended. Never calls back for a process without npm. */
export function onLauncherEnd(callback: () => void): void {
  if (!underNpm) return
  const timer = setInterval(() => {
    // The system gives an orphan another parent.
    if (process.ppid === launcher) return
    clearInterval(timer)
    callback()
  }, LOOK_EVERY_MS)
  timer.unref()
}

/** Whether a signal, this long after another one, is a copy that npm passed on. */
export function isCopyOfSignal(afterMs: number): boolean {
  return afterMs < SAME_SIGNAL_WITHIN_MS
}
