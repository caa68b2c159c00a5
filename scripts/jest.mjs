/** `node scripts/jest.mjs [jest arguments]`: jest with the flags that ESM needs. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Node options that every jest process and its workers need; the caller's own stay in front. */
function nodeOptions() {
  const own = process.env.NODE_OPTIONS ?? '';
  const needed = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  return [own, ...needed.filter((option) => !own.includes(option))].filter(Boolean).join(' ');
}

/**
 * Runs jest in a child process and resolves with its exit code (128 + signal when a signal ended it).
 *
 * @param {readonly string[]} args passed on as they are
 * @param {Record<string, string>} [env] added to this process's environment
 * @returns {Promise<number>}
 */
export function runJest(args, env = {}) {
  const require = createRequire(import.meta.url);
  const bin = join(dirname(require.resolve('jest/package.json')), 'bin/jest.js');
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [bin, '--config', join(root, 'jest.config.mjs'), ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env, NODE_OPTIONS: nodeOptions() },
    });
    // Ctrl-C reaches the child as well (same terminal); this process must outlive it to report how it ended.
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', () => {});
    process.on('SIGTERM', forward);
    child.on('error', fail);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward);
      done(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await runJest(process.argv.slice(2));
}
