/** The dependency rule of docs/architecture.md: adapters -> application -> domain, and nothing the other way. */
export default {
  forbidden: [
    {
      name: 'domain-imports-nothing',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'application-imports-domain-only',
      severity: 'error',
      from: { path: '^src/application/' },
      to: { pathNot: '^src/(application|domain)/' },
    },
    {
      name: 'adapters-never-import-each-other',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/$1/' },
    },
    {
      name: 'adapters-know-ports-not-the-composition',
      severity: 'error',
      from: { path: '^src/(domain|application|adapters)/' },
      to: { path: '^src/([^/]+\\.ts$|commands/)' },
    },
    {
      name: 'the-kit-knows-nothing-of-the-service',
      severity: 'error',
      from: { path: '^src/kit/' },
      to: { path: '^src/', pathNot: '^src/kit/' },
    },
    {
      name: 'the-service-knows-nothing-of-the-kit',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(kit|demo-bank)/' },
      to: { path: '^src/kit/' },
    },
    {
      name: 'the-demo-bank-knows-the-kit-alone',
      severity: 'error',
      from: { path: '^src/demo-bank/' },
      to: { path: '^src/', pathNot: '^src/(kit|demo-bank)/' },
    },
    {
      name: 'the-demo-bank-is-loaded-where-it-is-shown',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/demo-bank/' },
      to: { path: '^src/demo-bank/', dependencyTypesNot: ['type-only', 'dynamic-import'] },
    },
    {
      name: 'only-the-container-imports-inversify',
      severity: 'error',
      from: { pathNot: '^src/container\\.ts$' },
      to: { path: '(^|/)(inversify|reflect-metadata)(/|$)' },
    },
    {
      name: 'the-service-runs-without-development-dependencies',
      severity: 'error',
      from: { path: '^(src|demo|bin)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-service-never-loads-what-describes-its-api',
      severity: 'error',
      from: { path: '^src/', pathNot: '-api\\.ts$' },
      to: { path: '-api\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'what-traces-is-loaded-by-those-who-trace',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/tracing-otel/' },
      to: {
        path: '^src/adapters/tracing-otel/|node_modules/@opentelemetry/',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/generated/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
