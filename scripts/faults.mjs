/**
 * `npm run test:faults [-- jest arguments]`: the fault suite in full. `npm test` runs its short form; FAULTS=short does so
 * here as well. FAULTS_SECONDS and FAULTS_SEED choose the length and the course of the random mix (docs/faults.md).
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
process.exitCode = await runJest(['--selectProjects', 'faults', '--verbose', ...process.argv.slice(2)], {
  FAULTS: process.env.FAULTS ?? 'full',
});
