import type { Examination, Finding } from '../../src/contracts/diagnostic-check.ts'

/** All that an examination finds. */
export async function findingsOf(examination: Examination): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of examination.examine()) findings.push(finding)
  return findings
}

/** The names and levels of findings, as `name level`. */
export function levels(findings: readonly Finding[]): string[] {
  return findings.map(({ name, level }) => `${name} ${level}`)
}
