import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The secret of development tokens; made at the first start, kept across restarts. */
export function generatedJwtSecret(dataDir: string): string {
  return readOrMake(dataDir, 'jwt-secret', () => randomBytes(48).toString('base64url'));
}

/** The key that seals signing secrets; losing it makes the stored ones unreadable. */
export function generatedEncryptionKeys(dataDir: string): string {
  return readOrMake(dataDir, 'encryption-keys', () => `local:${randomBytes(32).toString('base64')}`);
}

function readOrMake(dataDir: string, name: string, make: () => string): string {
  const file = join(dataDir, name);
  const present = readIfThere(file);
  if (present !== null) return present;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Written whole under another name first, then linked: two processes that start together agree on one, and a crash
  // cannot leave half a key behind.
  const draft = join(dataDir, `.${name}.${process.pid}`);
  writeFileSync(draft, `${make()}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, 'utf8').trim();
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}
