export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', 'proofs/**/*.test.ts'],
  timeout: '60s',
}
