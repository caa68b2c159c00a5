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

const scratch = mkdtempSync(join(tmpdir(), 'webhooks-test-counts-'));
const file = join(scratch, 'counts.json');
try {
  process.exitCode = await runJest(process.argv.slice(2), { TEST_COUNTS_FILE: file });
  console.log(countsLine());
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function countsLine() {
  try {
    const { failures, passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8'));
    for (const failure of failures) console.log(`failed: ${relative(process.cwd(), failure)}`);
    return `${passed} passed, ${failed} failed, ${skipped} skipped`;
  } catch {
    process.exitCode ||= 1;
    return 'jest ended before it could count its tests; see its output above';
  }
}
