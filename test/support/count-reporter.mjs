import { writeFileSync } from 'node:fs';

/**
 * Leaves the counts of a run, and the names of what failed, in the file that `TEST_COUNTS_FILE` names, for
 * scripts/test.mjs to print at the very end.
 */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_COUNTS_FILE;
    if (!file) return;
    const failures = results.testResults.flatMap(({ testFilePath, testResults, testExecError }) => [
      ...(testExecError ? [`${testFilePath}: does not run`] : []),
      ...testResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${testFilePath}: ${fullName}`),
    ]);
    const counts = {
      failures,
      passed: results.numPassedTests,
      // A file that does not even load has no tests to count, and must not pass for nothing.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(file, JSON.stringify(counts));
  }
}
