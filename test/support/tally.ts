/** How many tests a run of AVA has passed, failed and skipped, counted from the lines of its report. */
export class Tally {
  passed = 0
  failed = 0
  /** Also tests to be written, and those that are expected to fail: they hold nothing. */
  skipped = 0

  count(line: string): void {
    const notRun =
      /^ {2}(?:[✘×] (\d+) tests? remaining in |(\d+) tests? remained pending after a timeout$)/.exec(line)
    if (notRun) this.failed += Number(notRun[1] ?? notRun[2])
    else if (/^ {2}(?:- \[(?:skip|todo)\]|[✔√] \[expected fail\]) /.test(line)) this.skipped++
    else if (/^ {2}[✔√] /.test(line)) this.passed++
    // Where AVA times out or a test ends the process, a later line has the number of tests that this cut off.
    else if (/^ {2}[✘×] (?!Timed out|Exiting due to process\.exit)/.test(line)) this.failed++
  }

  toString(): string {
    return `${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`
  }
}
