/*
 * Loaded into a service of which it is to be known what it holds on to: `NODE_OPTIONS='--expose-gc --import …'`. Twice, since what
 * waits to be finalized outlives the first.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  setImmediate(() => globalThis.gc?.())
})
