import type { CheckResult, DiagnosticCheck } from '../../src/contracts/diagnostic-check.ts'

/** All results of a check. */
export async function resultsOf(check: DiagnosticCheck): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for await (const result of check.run()) results.push(result)
  return results
}

/** The names and levels of results, as `name level`. */
export function levels(results: readonly CheckResult[]): string[] {
  return results.map(({ name, level }) => `${name} ${level}`)
}
