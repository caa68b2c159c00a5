import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/** Characters of an error's first line that are repeated at the end of a run; the whole of it stands further up. */
const ERROR_LENGTH = 200;

/**
 * Leaves what a run came to in the file that `TEST_COUNTS_FILE` names, for scripts/test.mjs to print at the very end:
 * the counts, each failed test with the first line of its error, and how long each file took.
 */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_COUNTS_FILE;
    if (!file) return;
    const report = {
      failures: results.testResults.flatMap(failuresOf),
      durations: results.testResults.map(({ testFilePath, perfStats }) => ({
        file: testFilePath,
        ms: perfStats.runtime,
      })),
      passed: results.numPassedTests,
      // A file that does not even load has no tests to count, and must not pass for nothing.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(file, JSON.stringify(report));
  }
}

function failuresOf({ testFilePath: file, testResults, testExecError }) {
  const failed = testResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => ({ file, test: fullName, error: firstLine(failureMessages[0]) }));
  return testExecError
    ? [{ file, test: 'does not run', error: firstLine(testExecError.message) }, ...failed]
    : failed;
}

function firstLine(message = '') {
  const lines = stripVTControlCharacters(message).split('\n');
  return (lines.find((line) => line.trim() !== '') ?? '').trim().slice(0, ERROR_LENGTH);
}
