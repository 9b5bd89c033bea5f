/**
 * Replaces `ava` in the tests: it collects the tests that they declare, instead of running them. Declarations and assertions are
 * AVA's own. {@link unit-test-runner.ts} decides when a test runs.
 */
export interface DeclaredTest {
  readonly title: string
  /** Resolves when the test is over. */
  run(): Promise<{ readonly passed: boolean; readonly error: unknown }>
}

const ava = (path: string) => import(new URL(path, import.meta.resolve('ava')).href)
const { default: Runnable } = await ava('../lib/test.js')
const { default: createChain } = await ava('../lib/create-chain.js')
const { default: parseTestArgs } = await ava('../lib/parse-test-args.js')
const { default: ContextRef } = await ava('../lib/context-ref.js')

const declared: DeclaredTest[] = []

/** Takes the tests that were declared since the last call. */
export function takeDeclaredTests(): DeclaredTest[] {
  return declared.splice(0)
}

interface Metadata {
  readonly type: 'test' | 'before' | 'beforeEach' | 'after' | 'afterEach'
  readonly exclusive: boolean
  readonly skipped: boolean
  readonly todo: boolean
}

/** @throws {Error} on everything that needs another schedule than one test after the other, instead of running it wrongly. */
function declare(metadata: Metadata, args: unknown[]): void {
  const parsed = parseTestArgs(args)
  const title: string = parsed.title.value
  if (metadata.type !== 'test' || metadata.exclusive || metadata.skipped || metadata.todo) {
    throw new Error(`A hook, or a test to leave out, is more than this can run: ${title}`)
  }
  const unsupported = () => {
    throw new Error(`No snapshots here: ${title}`)
  }
  declared.push({
    title,
    run: async () =>
      new Runnable({
        title,
        metadata,
        contextRef: new ContextRef(),
        failWithoutAssertions: true,
        fn: (t: unknown) => parsed.implementation(t, ...parsed.args),
        compareTestSnapshot: unsupported,
        skipSnapshot: unsupported,
        registerUniqueTitle: () => true,
        notifyTimeoutUpdate: () => {},
      }).run(),
  })
}

// biome-ignore lint/style/noDefaultExport: `ava` has one.
export default createChain(declare, {
  serial: false,
  exclusive: false,
  skipped: false,
  selected: true,
  todo: false,
  failing: false,
  callback: false,
  inline: false,
  always: false,
})
