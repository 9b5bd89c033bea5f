/** The dependency rule of docs/architecture.md: adapters -> application -> domain, and nothing the other way. */
export default {
  forbidden: [
    {
      name: 'domain-imports-nothing',
      severity: 'error',
      from: { path: '^src/domain/' },
      // A hash is a pure function, and the bucket of a subject is one.
      to: { pathNot: '^src/domain/|^(node:)?crypto$' },
    },
    {
      name: 'the-bucket-alone-needs-a-hash',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: '^src/domain/bucket\\.ts$' },
      to: { path: '^(node:)?crypto$' },
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
      from: { path: '^src/(domain|application|contracts|adapters)/' },
      to: { path: '^src/(config|composition|process|command-line|development)/' },
    },
    {
      name: 'contracts-import-the-inner-rings-only',
      severity: 'error',
      from: { path: '^src/contracts/' },
      to: { pathNot: '^src/(contracts|application|domain)/' },
    },
    {
      name: 'the-kit-knows-nothing-of-the-service',
      severity: 'error',
      from: { path: '^packages/kit/' },
      to: { path: '^(src|examples|test|tools|proofs)/' },
    },
    {
      name: 'the-service-knows-nothing-of-the-kit-and-the-examples',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(packages|examples)/|@countersign/' },
    },
    {
      name: 'examples-know-the-kit-alone',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(src|test|tools|proofs|packages/kit/src)/' },
    },
    {
      name: 'development-is-loaded-dynamically',
      severity: 'error',
      from: { path: '^(src|bin)/', pathNot: '^src/development/' },
      to: { path: '^src/development/', dependencyTypesNot: ['type-only', 'dynamic-import'] },
    },
    {
      name: 'development-is-loaded-by-the-start-alone',
      severity: 'error',
      from: {
        path: '^(src|bin)/',
        pathNot:
          '^src/(development/|process/(main|mail-thread-program)\\.ts$|composition/open-database\\.ts$)',
      },
      to: { path: '^src/development/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-the-composition-imports-inversify',
      severity: 'error',
      from: { pathNot: '^(src|test)/composition/' },
      to: { path: '(^|/)(inversify|reflect-metadata)(/|$)' },
    },
    {
      name: 'the-service-runs-without-development-dependencies',
      severity: 'error',
      from: { path: '^(src|packages|examples|tools/demo|bin)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-service-never-loads-what-describes-its-api',
      severity: 'error',
      from: { path: '^src/', pathNot: 'openapi\\.ts$' },
      to: { path: 'openapi\\.ts$', dependencyTypesNot: ['type-only'] },
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
    {
      name: 'tests-know-nothing-of-proofs',
      severity: 'error',
      from: { path: '^(src|packages|examples|test|tools)/' },
      to: { path: '^proofs/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules|^packages/[^/]+/dist/' },
    exclude: { path: '/generated/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
