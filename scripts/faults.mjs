/**
 * `npm run test:faults [-- jest arguments]`: the fault suite in full, in two runs of jest. `npm test` runs its short form;
 * FAULTS=short does so here as well. FAULTS_SECONDS and FAULTS_SEED choose the length and the course of the random mix
 * (docs/faults.md).
 */
import { ensureBuilt, ensureInstalled } from './ensure-installed.mjs';

try {
  ensureInstalled();
  if (!process.env.FAULTS_BUILD) ensureBuilt();
} catch (error) {
  console.error(`\nThe fault suite did not run: ${error.message}`);
  process.exit(1);
}

// Not at the top: it finds jest in node_modules.
const { runJest } = await import('./jest.mjs');
const form = process.env.FAULTS ?? 'full';
const chosen = process.argv.slice(2);
const run = (...args) =>
  runJest(['--selectProjects', 'faults', '--verbose', ...args, ...chosen], { FAULTS: form });

/** What it measures is how long one waits for others: beside other suites, it would be for them. */
const ALONE = 'test/faults/fairness';

if (chosen.length > 0 || form !== 'full') {
  process.exitCode = await run();
} else {
  const beside = await run('--maxWorkers=2', `--testPathIgnorePatterns=${ALONE}`);
  const alone = await run(ALONE);
  process.exitCode = beside === 0 ? alone : beside;
}
