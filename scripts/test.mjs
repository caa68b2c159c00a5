/**
 * `npm test [-- jest arguments]`: installs and builds what is missing, runs every suite, and prints as its last line
 * `N passed, N failed, N skipped`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureBuilt, ensureInstalled } from './ensure-installed.mjs';

try {
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  console.error(`\nThe tests did not run: ${error.message}`);
  process.exit(1);
}

// Not at the top: it finds jest in node_modules.
const { runJest } = await import('./jest.mjs');

/** Files named at the end of a run, so that whoever wants it shorter knows where to look. */
const SLOWEST_SHOWN = 10;

const scratch = mkdtempSync(join(tmpdir(), 'webhooks-test-counts-'));
const file = join(scratch, 'counts.json');
try {
  process.exitCode = await runJest(process.argv.slice(2), { TEST_COUNTS_FILE: file });
  for (const line of summary()) console.log(line);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The slowest files, then what failed, then the counts: whoever sees the last lines alone sees what matters. */
function summary() {
  try {
    const { failures, durations, passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8'));
    return [
      ...slowest(durations),
      ...failures.map(({ file, test, error }) => `failed: ${shown(file)}: ${test}: ${error}`),
      `${passed} passed, ${failed} failed, ${skipped} skipped`,
    ];
  } catch {
    process.exitCode ||= 1;
    return ['jest ended before it could count its tests; see its output above'];
  }
}

function slowest(durations) {
  if (durations.length <= SLOWEST_SHOWN) return [];
  const files = durations.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST_SHOWN);
  return [
    'slowest files:',
    ...files.map(({ file, ms }) => `  ${(ms / 1_000).toFixed(1).padStart(6)} s  ${shown(file)}`),
  ];
}

function shown(file) {
  return relative(process.cwd(), file);
}
