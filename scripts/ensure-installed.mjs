/**
 * Installs and builds what a fresh clone lacks, so that `npm start` and `npm test` work right after it. Imports nothing
 * outside Node: it runs before there is a node_modules.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ownScripts } from './own-scripts.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** What the server is compiled from; anything newer than the build makes it stale. */
const SOURCES = [
  'src',
  'migrations',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  ...ownScripts('build.mjs'),
];

/** A download may fail once; npm's own retries do not cover a connection that breaks in the middle. */
const INSTALL_TRIES = 3;

/**
 * Runs `npm ci` where node_modules is missing or is not what package-lock.json says.
 *
 * @throws Error when npm fails
 */
export function ensureInstalled() {
  if (isInstalled()) return;
  // NODE_ENV=production would leave out what the build needs.
  npm(['ci', '--include=dev', '--no-audit', '--no-fund'], INSTALL_TRIES);
}

/**
 * Runs `npm run build` where `dist` is missing or older than its sources. Needs `ensureInstalled()` before.
 *
 * @throws Error when the build fails
 */
export function ensureBuilt() {
  // `dist/migrations` comes last and only after a server that compiled: with it the build is whole.
  const builtMs = newestMs(join(root, 'dist/migrations'));
  if (builtMs > Math.max(...SOURCES.map((path) => newestMs(join(root, path))))) return;
  npm(['run', 'build']);
}

/** Compares contents, not times: a clone, a checkout or a copy gives package-lock.json any time. */
function isInstalled() {
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  const locked = packagesIn(join(root, 'package-lock.json'));
  if (!installed || !locked) return installed !== undefined;
  return Object.entries(locked).every(([path, wanted]) => {
    if (path === '' || wanted.link) return true;
    // Packages of other platforms are locked as well, and rightly absent.
    if (!installed[path])
      return wanted.optional === true || wanted.peer === true || wanted.devOptional === true;
    return installed[path].version === wanted.version && installed[path].integrity === wanted.integrity;
  });
}

function packagesIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

/** Milliseconds of the newest file or folder below `path`; a folder's own time tells of removed files. 0 when absent. */
function newestMs(path) {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const children = readdirSync(path).filter((name) => name !== 'node_modules' && !name.endsWith('.spec.ts'));
  return Math.max(stats.mtimeMs, ...children.map((name) => newestMs(join(path, name))));
}

function npm(args, tries = 1) {
  const command = `npm ${args.join(' ')}`;
  for (let left = tries; ; left -= 1) {
    console.error(`> ${command}`);
    // Standard output belongs to the caller's result; npm's progress goes with the errors.
    const result = spawnSync('npm', args, {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
    if (result.status === 0) return;
    const reason = result.error?.message ?? `exit code ${result.status}`;
    if (left <= 1) throw new Error(`${command} failed (${reason}); its output is above`);
    console.error(`${command} failed (${reason}); it is tried again`);
  }
}
