/**
 * One configuration, five projects, fastest first; `npm run test:unit` and its siblings choose one with `--selectProjects`.
 *
 * Everything is ESM, because Nest 12 ships no CommonJS build: jest needs `--experimental-vm-modules`, which
 * `node scripts/jest.mjs <arguments>` sets.
 */

import { bundledPackages } from './scripts/test-packages.mjs';

/** The same decorator semantics as tsconfig.json, which swc does not read. */
const swcOptions = {
  sourceMaps: 'inline',
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
    keepClassNames: true,
  },
};

/**
 * Faults and whole-server tests wait for processes to boot, leases to expire and retries to come due. One limit for all:
 * jest reads it here alone and ignores one of a project.
 */
const SERVER_TEST_TIMEOUT_MS = 180_000;

const shared = {
  // One name for the cache, so that what one project compiled is there for the others.
  id: 'webhooks',
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/src', '<rootDir>/migrations', '<rootDir>/test'],
  testEnvironment: '<rootDir>/test/support/package-environment.mjs',
  injectGlobals: false,
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swcOptions] },
  // Sources import `./x.js`, as Node demands of the compiled files; under test only `./x.ts` exists.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', ...(await bundledPackages()) },
  // Compiled copies and rule fixtures would otherwise be found as second modules of the same name.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/', '<rootDir>/test/architecture/fixtures/'],
};

/** Real servers, started once per run when a chosen test is in such a project; see test/support/global-setup.mjs. */
const withServers = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

export default {
  // Most suites wait for servers, timers and sockets: one at a time would leave the cores idle, also where there are two.
  maxWorkers: 3,
  testTimeout: SERVER_TEST_TIMEOUT_MS,
  testSequencer: '<rootDir>/test/support/long-first-sequencer.mjs',
  reporters: ['default', '<rootDir>/test/support/count-reporter.mjs'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/src/**/*.spec.ts',
        '<rootDir>/migrations/support/*.spec.ts',
        '<rootDir>/test/support/**/*.spec.ts',
        '!**/*.servers.spec.ts',
        '<rootDir>/test/architecture/*.spec.ts',
        '<rootDir>/test/documentation/*.spec.ts',
        '<rootDir>/test/faults/harness/*.spec.ts',
      ],
    },
    {
      ...shared,
      ...withServers,
      displayName: 'contract',
      testMatch: ['<rootDir>/test/contract/**/*.spec.ts'],
    },
    {
      ...shared,
      ...withServers,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.spec.ts', '<rootDir>/test/support/**/*.servers.spec.ts'],
    },
    {
      ...shared,
      ...withServers,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'],
    },
    {
      ...shared,
      ...withServers,
      displayName: 'faults',
      testMatch: ['<rootDir>/test/faults/*.spec.ts'],
      // What takes too long for every run.
      testPathIgnorePatterns: process.env.FAULTS === 'full' ? [] : [String.raw`\.long\.spec\.ts$`],
    },
  ],
};
