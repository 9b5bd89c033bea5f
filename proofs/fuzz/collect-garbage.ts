/*
 * Loaded into a service to measure the memory that it keeps: `NODE_OPTIONS='--expose-gc --import …'`. It collects twice, because
 * objects that wait for a finalizer survive the first collection.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  setImmediate(() => globalThis.gc?.())
})
