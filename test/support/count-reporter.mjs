import { writeFileSync } from 'node:fs';

/** Leaves the counts of a run in the file that `TEST_COUNTS_FILE` names, for scripts/test.mjs to print at the very end. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_COUNTS_FILE;
    if (!file) return;
    const counts = {
      passed: results.numPassedTests,
      // A file that does not even load has no tests to count, and must not pass for nothing.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(file, JSON.stringify(counts));
  }
}
