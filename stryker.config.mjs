/** Mutation testing of the rules: see docs/mutation.md. */
export default {
  mutate: ['src/domain/**/*.ts', 'src/application/**/*.ts'],
  // Of everything else there is nothing to copy: what the unit tests load is here.
  ignorePatterns: ['**', '!package.json', '!tsconfig.json', '!src/**/*.ts', '!test/**/*.ts'],
  plugins: ['./proofs/mutation/unit-test-runner.ts'],
  testRunner: 'unit-tests',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  jsonReporter: { fileName: 'mutation/report.json' },
  htmlReporter: { fileName: 'mutation/report.html' },
  tempDirName: 'mutation/sandbox',
  thresholds: { high: 95, low: 90, break: 90 },
  // The types are stripped, not checked.
  disableTypeChecks: false,
  warnings: { slow: false },
}
