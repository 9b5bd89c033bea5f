import type { CheckResult, DiagnosticCheck } from '../../src/contracts/diagnostic-check.ts'

/** All that an examination finds. */
export async function findingsOf(examination: DiagnosticCheck): Promise<CheckResult[]> {
  const findings: CheckResult[] = []
  for await (const finding of examination.run()) findings.push(finding)
  return findings
}

/** The names and levels of findings, as `name level`. */
export function levels(findings: readonly CheckResult[]): string[] {
  return findings.map(({ name, level }) => `${name} ${level}`)
}
