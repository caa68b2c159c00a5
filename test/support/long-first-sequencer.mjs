import { statSync } from 'node:fs';
import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/**
 * Suites from the longest to the shortest: those that boot servers and wait for leases and retries come first, so that short
 * ones fill the workers at the end. Jest orders by the times of earlier runs, which a fresh clone does not have. Those named
 * alone take a minute and do not look like it.
 */
const LONGEST_FIRST = [
  'test/e2e/stop',
  'test/e2e/boot-surroundings',
  'test/faults/',
  'test/integration/any-input',
  'test/integration/key-rotation',
  'test/contract/persistence',
  'src/modules/webhooks/application/drain-simulation',
  'test/e2e/',
  'test/integration/',
  'test/',
  'src/',
];

export default class LongFirstSequencer extends Sequencer {
  sort(tests) {
    return tests.toSorted((a, b) => kindOf(a) - kindOf(b) || sizeOf(b) - sizeOf(a));
  }
}

function kindOf({ path, context }) {
  const file = relative(context.config.rootDir, path);
  return LONGEST_FIRST.findIndex((folder) => file.startsWith(folder));
}

function sizeOf({ path }) {
  return statSync(path).size;
}
