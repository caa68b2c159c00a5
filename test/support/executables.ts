import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first of these executables that lies in a folder of PATH, or undefined. */
export function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Makes Debian's packages not start the service that they install; see the policy-rc.d manual page. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * Installs a Debian package when that is possible: as root, where `apt-get` exists. Its service is not started: the
 * tests start their own process from the executable, on their own port.
 *
 * @returns what came of it, in words
 */
export async function installDebianPackage(name: string): Promise<string> {
  if (process.getuid?.() !== 0) return 'not root, so it was not installed';
  if (!findOnPath(['apt-get'])) return 'no apt-get here to install it with';
  console.warn(`Installing the Debian package ${name}, which the tests need …`);
  const ownPolicy = !existsSync(SERVICE_POLICY);
  if (ownPolicy) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    // The lists may be absent (images ship without them) or too old to download from; if this fails, the next says why.
    await aptGet(['update']).catch(() => undefined);
    await aptGet(['install', '-y', '--no-install-recommends', name]);
    return `apt-get installed ${name}, but no executable of it was found`;
  } catch (error) {
    return `apt-get install ${name} failed: ${(error as Error).message.slice(-500)}`;
  } finally {
    if (ownPolicy) rmSync(SERVICE_POLICY, { force: true });
  }
}

async function aptGet(args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // dpkg's lock may be held by another installation: wait for it instead of failing at once.
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=120'];
  await run('apt-get', [...options, ...args], {
    env,
    timeout: INSTALL_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}
