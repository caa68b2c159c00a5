import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { LifetimeGuard } from './lifetime-guard.js';
import type { SystemUser } from './postgres-binaries.js';

const run = promisify(execFile);

/** Where they lie: set for a run by whoever starts its servers; without it every server makes its data anew. */
const VARIABLE = 'TEST_POSTGRES_CLUSTERS';

/** Opens the place for a run; it goes with this process. @returns a function that removes it now */
export function openPreparedClusters(user: SystemUser | undefined): () => void {
  const folder = mkdtempSync(join(user ? '/tmp' : tmpdir(), 'webhooks-clusters-'));
  const guard = new LifetimeGuard(folder, 'QUIT');
  if (user) chownSync(folder, user.uid, user.gid);
  process.env[VARIABLE] = folder;
  return () => {
    delete process.env[VARIABLE];
    guard.release();
  };
}

/**
 * The data of a stopped server that others begin with: `initdb` and a schema take seconds of CPU, a copy a tenth of one. Made
 * once per run, or as often as suites that start at the same moment do not find it.
 */
export class PreparedCluster {
  private constructor(
    private readonly path: string,
    /** As its owner: the server refuses data of somebody else. */
    private readonly as: { readonly uid?: number; readonly gid?: number },
  ) {}

  /**
   * @param key what tells clusters apart: the executables, and what was done to it
   * @returns undefined outside a run with a place for them
   */
  static of(key: readonly string[], user: SystemUser | undefined): PreparedCluster | undefined {
    const folder = process.env[VARIABLE];
    if (folder === undefined) return undefined;
    const name = createHash('sha256').update(key.join('\n')).digest('hex').slice(0, 12);
    return new PreparedCluster(
      join(folder, name),
      user === undefined ? {} : { uid: user.uid, gid: user.gid },
    );
  }

  /** @returns false where there is none yet */
  async copyTo(dataDirectory: string): Promise<boolean> {
    if (!existsSync(this.path)) return false;
    await this.copy(this.path, dataDirectory);
    return true;
  }

  /** @param dataDirectory of a server that was stopped in order */
  async keep(dataDirectory: string): Promise<void> {
    const made = `${this.path}-${process.pid}`;
    await this.copy(dataDirectory, made);
    // Another suite may have kept its own in the meantime, and others may be copying it.
    await rename(made, this.path).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause;
      await rm(made, { recursive: true });
    });
  }

  private async copy(from: string, to: string): Promise<void> {
    await run('cp', ['-R', from, to], { cwd: '/', ...this.as });
  }
}
