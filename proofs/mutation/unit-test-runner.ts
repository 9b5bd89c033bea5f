import { globSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from '@stryker-mutator/api/core'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import {
  type CompleteDryRunResult,
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner'
import fc from 'fast-check'
import { type DeclaredTest, takeDeclaredTests } from './declared-tests.ts'

/** The tests without IO. */
export const UNIT_TESTS = ['test/domain/**/*.test.ts', 'test/application/**/*.test.ts']

interface LoadedTest {
  /** File and title, because two files may have the same title. */
  readonly id: string
  readonly test: DeclaredTest
}

/**
 * Runs the unit tests in this process, one after the other, once for each mutant. Starting AVA for each mutant would take a hundred
 * times as long. It loads the project's code once, and again for a mutant of code that runs while it loads.
 */
export class UnitTestRunner implements TestRunner {
  readonly #root = pathToFileURL(`${process.cwd()}/`).href
  readonly #mutation: InstrumenterContext
  #tests: readonly LoadedTest[] = []
  #loads = 0

  constructor() {
    const namespace = INSTRUMENTER_CONSTANTS.NAMESPACE
    const globals = globalThis as { [namespace]?: InstrumenterContext }
    globals[namespace] ??= {}
    this.#mutation = globals[namespace]
  }

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init(): Promise<void> {
    // The same examples for every mutant and every run: a random score would not be comparable.
    fc.configureGlobal({ seed: 1 })
    const standIn = new URL('declared-tests.ts', import.meta.url).href
    registerHooks({
      resolve: (specifier, context, next) => {
        const isOurs = context.parentURL?.startsWith(this.#root) && context.parentURL.includes('?load=')
        if (isOurs && specifier === 'ava')
          return { url: standIn, format: 'module-typescript', shortCircuit: true }
        const resolved = next(specifier, context)
        return isOurs && specifier.startsWith('.')
          ? { ...resolved, url: `${resolved.url}?load=${this.#loads}` }
          : resolved
      },
    })
  }

  async dryRun(_: DryRunOptions): Promise<DryRunResult> {
    this.#mutation.mutantCoverage = { static: {}, perTest: {} }
    const broken = await this.#load()
    if (broken) return { status: DryRunStatus.Error, errorMessage: broken.failureMessage }
    const result = await this.#run(this.#tests, { untilOneFails: false })
    return { ...result, mutantCoverage: this.#mutation.mutantCoverage }
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, disableBail, hitLimit, mutantActivation, reloadEnvironment, testFilter } = options
    const mutation = this.#mutation
    const limit = hitLimit === undefined ? {} : { hitLimit, hitCount: 0 }
    delete mutation.hitLimit
    delete mutation.hitCount
    Object.assign(mutation, limit)

    try {
      if (mutantActivation === 'static') mutation.activeMutant = activeMutant.id
      const broken = reloadEnvironment || this.#loads === 0 ? await this.#load() : undefined
      if (broken) return { ...broken, status: MutantRunStatus.Killed, killedBy: [], nrOfTests: 0 }
      mutation.activeMutant = activeMutant.id
      const wanted = testFilter && new Set(testFilter)
      const tests = wanted ? this.#tests.filter(({ id }) => wanted.has(id)) : this.#tests
      const result = await this.#run(tests, { untilOneFails: !disableBail })
      return toMutantRunResult(determineHitLimitReached(mutation.hitCount, hitLimit) ?? result)
    } finally {
      delete mutation.activeMutant
    }
  }

  /** Reports a file that cannot be loaded as a failure, as AVA would. */
  async #load(): Promise<{ readonly failureMessage: string } | undefined> {
    this.#loads++
    takeDeclaredTests()
    const tests: LoadedTest[] = []
    for (const file of UNIT_TESTS.flatMap((pattern) => globSync(pattern)).toSorted()) {
      try {
        await import(`${pathToFileURL(resolve(file)).href}?load=${this.#loads}`)
      } catch (error) {
        return { failureMessage: `${file} cannot be loaded: ${inspect(error)}` }
      }
      tests.push(...takeDeclaredTests().map((test) => ({ id: `${file} › ${test.title}`, test })))
    }
    this.#tests = tests
    return undefined
  }

  async #run(tests: readonly LoadedTest[], { untilOneFails }: { untilOneFails: boolean }) {
    const results: TestResult[] = []
    for (const { id, test } of tests) {
      this.#mutation.currentTestId = id
      const startedAt = performance.now()
      const { passed, error } = await test.run()
      const result = { id, name: id, timeSpentMs: performance.now() - startedAt }
      delete this.#mutation.currentTestId
      results.push(
        passed
          ? { ...result, status: TestStatus.Success }
          : { ...result, status: TestStatus.Failed, failureMessage: inspect(error) },
      )
      if (!passed && untilOneFails) break
    }
    return { status: DryRunStatus.Complete, tests: results } satisfies CompleteDryRunResult
  }
}

/** Where Stryker looks for a module's plugins. */
export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'unit-tests', UnitTestRunner)]
