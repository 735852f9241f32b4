/** The house's dependency rule. test/architecture.test.ts checks it, and that every room was looked at. */
module.exports = {
  forbidden: [
    {
      name: 'engine-knows-nobody',
      comment: 'The engine has never heard of the platform.',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^(app|cli|platform|prisma|test|worker)/' },
    },
    {
      name: 'engine-by-its-front-door',
      comment: 'Others know the engine by engine/index.ts only.',
      severity: 'error',
      from: { path: '^(app|bench|cli|platform|worker)/' },
      to: { path: '^engine/(?!index\\.ts$)' },
    },
    {
      name: 'files-know-no-containers',
      comment: 'A tree of files is told its root; containers, images and volumes stand on it.',
      severity: 'error',
      from: { path: '^engine/files/' },
      to: { path: '^engine/(containers|images|network|runtime|snapshots|volumes)/' },
    },
    {
      name: 'only-the-worker-uses-the-engine',
      severity: 'error',
      from: { path: '^(app|cli|platform)/' },
      to: { path: '^engine/' },
    },
    {
      name: 'platform-is-below',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: '^(app|cli|engine|test|worker)/' },
    },
    {
      name: 'worker-obeys-platform',
      severity: 'error',
      from: { path: '^worker/' },
      to: { path: '^(app|cli|prisma|test)/' },
    },
    {
      name: 'app-asks-platform',
      severity: 'error',
      from: { path: '^app/' },
      to: { path: '^(cli|engine|prisma|test|worker)/' },
    },
    {
      name: 'cli-speaks-the-api',
      comment:
        'Operator commands may read the configuration and the nouns, and ask by a socket; everything else goes over the REST API.',
      severity: 'error',
      from: { path: '^cli/' },
      to: {
        path: '^(app|engine|worker|test)/|^platform/(?!config\\.ts$|abstract-socket\\.ts$|model/|errors\\.ts$)',
      },
    },
    {
      name: 'browser-code-knows-the-model-only',
      severity: 'error',
      from: { path: '\\.client\\.tsx$|^app/_ui/' },
      to: { path: '^platform/(?!model/)|^app/_server/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-database-has-one-door',
      severity: 'error',
      from: { path: '^(app|cli|worker|engine)/' },
      to: { path: '^platform/(generated|database\\.ts)|^node_modules/(@prisma|pg)/' },
    },
    {
      name: 'nobody-needs-the-bench',
      comment: 'The bench measures; only its command calls it.',
      severity: 'error',
      from: { path: '^(app|cli|engine|platform|worker)/', pathNot: '^cli/commands/bench\\.ts$' },
      to: { path: '^bench/' },
    },
    {
      name: 'processes-start-at-two-doors',
      comment: 'engine/sys and the supervisor.',
      severity: 'error',
      from: { path: '^(app|platform|worker|engine)/', pathNot: '^engine/sys/' },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^(app|bench|cli|engine|platform|worker)/', pathNot: '^platform/generated/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|platform/generated' },
    exclude: { path: '^(\\.next|node_modules/\\.)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'] },
  },
}
