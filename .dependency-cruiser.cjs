/**
 * The architecture, executable: who may import whom. `npm run arch` runs it; test/architecture proves, with one bad
 * fixture for each rule, that each of them can fail. Types count as imports too: a layer that knows another's types
 * changes with it.
 */

/** Specs lie beside what they test and may reach for anything; `testing/` holds fakes, which have a rule of their own. */
const NOT_PRODUCTION = ['\\.spec\\.ts$', '/testing/'];

const ANY_MODULE = '^src/modules/([^/]+)/';
const KERNEL = '^src/platform/kernel/';
const PACKAGES = '(^|/)node_modules/';
const CRYPTO = '^(node:)?crypto$';

/** A layer of any module; `$1` in the rule's `to` is then the module's name. */
const layer = (name) => ({ path: `${ANY_MODULE}${name}/`, pathNot: NOT_PRODUCTION });

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment:
        'A cycle fails at load under ESM with decorator metadata ("Cannot access X before initialization"), depending on ' +
        'which file is imported first. Move what both need into a third file. A cycle closed by `import type` is gone at run time.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment:
        'An import that resolves to nothing is invisible to every rule below. Mend the path, or install the package.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'domain-stays-pure',
      severity: 'error',
      comment:
        'The domain is plain TypeScript, testable without a framework or a database, and outlives both. It may import itself, ' +
        'platform/kernel and node:crypto. Put what needs more behind a port in application/ports.',
      from: layer('domain'),
      to: { pathNot: [`${ANY_MODULE.replace('([^/]+)', '$1')}domain/`, KERNEL, CRYPTO] },
    },
    {
      name: 'application-never-outer-layers',
      severity: 'error',
      comment:
        'Use cases say what they need through ports; adapters implement them. The other way round, a use case cannot be ' +
        'tested without a database, nor an adapter be exchanged.',
      from: layer('application'),
      to: { path: '^src/modules/$1/', pathNot: '^src/modules/$1/(domain|application)/' },
    },
    {
      name: 'application-platform-kernel-only',
      severity: 'error',
      comment:
        'Of the platform, a use case knows the kernel alone (clock, ids, domain errors). Database, HTTP and configuration ' +
        'come in through ports and constructor arguments.',
      from: layer('application'),
      to: { path: '^src/', pathNot: ['^src/modules/', KERNEL] },
    },
    {
      name: 'application-no-packages',
      severity: 'error',
      comment:
        'Besides node:crypto, the only package in a use case is @nestjs/common, for dependency injection: no typeorm, bullmq, axios, pg or ioredis ' +
        '(infrastructure has them), and no HttpException (the error filter maps domain errors).',
      from: layer('application'),
      to: { pathNot: ['^src/', `${PACKAGES}@nestjs/common/`, CRYPTO] },
    },
    {
      name: 'infrastructure-never-api',
      severity: 'error',
      comment: 'An adapter that knows a DTO or a controller breaks with the next version of the API.',
      from: layer('infrastructure'),
      to: { path: '^src/modules/$1/api/' },
    },
    {
      name: 'infrastructure-never-other-modules',
      severity: 'error',
      comment:
        "Adapters serve the ports of their own module; what is wanted of another module is a use case's business, or the wiring's.",
      from: layer('infrastructure'),
      to: { path: '^src/modules/[^/]+/index\\.ts$', pathNot: '^src/modules/$1/' },
    },
    {
      name: 'api-never-infrastructure',
      severity: 'error',
      comment:
        'A controller calls use cases. Calling an adapter goes around the rules that the use case keeps.',
      from: layer('api'),
      to: { path: '^src/modules/$1/infrastructure/' },
    },
    {
      name: 'api-never-database',
      severity: 'error',
      comment:
        'No SQL, entity or transaction in a controller: a query there is one that no tenant rule, port or contract suite sees.',
      from: layer('api'),
      to: { path: [`${PACKAGES}(typeorm|@nestjs/typeorm|pg|@types/pg)/`, '^src/platform/database/'] },
    },
    {
      name: 'layers-never-wiring',
      severity: 'error',
      comment:
        'index.ts, *.module.ts and wiring/ of a module import its layers. A layer that imports them back closes a cycle, and takes the ' +
        'whole module along. (domain and application are held to more than that by their own rules.)',
      from: { path: `${ANY_MODULE}(infrastructure|api)/`, pathNot: NOT_PRODUCTION },
      to: { path: '^src/modules/$1/([^/]+\\.ts$|wiring/)' },
    },
    {
      name: 'modules-only-through-index',
      severity: 'error',
      comment:
        'index.ts is the only public door of a module. Everything behind it can then be renamed without asking anybody; ' +
        'if something is missing there, export it there.',
      from: { path: '^src/modules/([^/]+)/', pathNot: NOT_PRODUCTION },
      to: {
        path: '^src/modules/[^/]+/',
        pathNot: ['^src/modules/$1/', '^src/modules/[^/]+/index\\.ts$', '/testing/'],
      },
    },
    {
      name: 'composition-root-only-through-index',
      severity: 'error',
      comment: 'app.module.ts and main.ts are outside every module, and use the same door as everybody else.',
      from: { path: '^src/[^/]+\\.ts$', pathNot: NOT_PRODUCTION },
      to: { path: '^src/modules/[^/]+/', pathNot: ['^src/modules/[^/]+/index\\.ts$', '/testing/'] },
    },
    {
      name: 'platform-never-modules',
      severity: 'error',
      comment: 'The platform has no business word in it: modules stand on it, so it cannot stand on them.',
      from: { path: '^src/platform/', pathNot: NOT_PRODUCTION },
      to: { path: ['^src/modules/', '^src/[^/]+\\.ts$'] },
    },
    {
      name: 'kernel-stays-pure',
      severity: 'error',
      comment:
        'Every layer imports the kernel, so whatever it imports is everywhere: nothing but itself, node:crypto and uuid.',
      from: { path: KERNEL, pathNot: NOT_PRODUCTION },
      to: { pathNot: [KERNEL, CRYPTO, `${PACKAGES}uuid/`, '^src/modules/', '^src/[^/]+\\.ts$', '/testing/'] },
    },
    {
      name: 'testing-holds-fakes-only',
      severity: 'error',
      comment:
        "Fakes implement ports, and other modules' tests use them: they may import application and domain, never an adapter, " +
        'or a fast test would drag in a database driver.',
      from: { path: '^src/modules/([^/]+)/testing/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/modules/$1/(domain|application|testing)/', KERNEL] },
    },
    {
      name: 'production-never-testing',
      severity: 'error',
      comment: 'Fakes are not in the build: what imports one compiles here and is missing there.',
      from: { path: '^src/', pathNot: NOT_PRODUCTION },
      to: { path: '/testing/', pathNot: PACKAGES },
    },
    {
      name: 'web-never-src',
      severity: 'error',
      comment:
        'The panel talks REST alone, as any other client: sharing code would let it depend on what no contract promises.',
      from: { path: '^web/' },
      to: { path: '^src/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^web/dist/', '^web/node_modules/'] },
    // Also what TypeScript erases: `import type` is an import for these rules.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: `${__dirname}/tsconfig.json` },
    // Sources import `./x.js`, where only `./x.ts` exists.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
