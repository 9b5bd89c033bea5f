export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts'],
  timeout: '60s',
}
