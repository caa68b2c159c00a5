import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt, jwtVerify } from 'jose';

import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/token.mjs');
const SECRET = 'token-secret-of-thirty-two-characters';

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

describe('npm run token', () => {
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = temporaryFolder('webhooks-token-');
  });

  afterEach(() => {
    folder.remove();
  });

  const token = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
    new Promise((done) => {
      const options = { cwd: folder.path, env: { PATH: process.env['PATH'], ...env } };
      const child = execFile(process.execPath, [SCRIPT, ...args], options, (_error, out, err) => {
        done({ exitCode: child.exitCode ?? -1, out: out.trim(), err });
      });
    });

  it('prints one token of the tenant, for reading and writing, good for an hour', async () => {
    const { exitCode, out, err } = await token(['--tenant', 'acme'], { JWT_SECRET: SECRET });
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    const { payload, protectedHeader } = await jwtVerify(out, new TextEncoder().encode(SECRET));
    expect(protectedHeader.alg).toBe('HS256');
    expect(payload).toMatchObject({ tenant_id: 'acme', scope: 'webhooks:read webhooks:write' });
    expect(payload.exp! - payload.iat!).toBe(3_600);
  });

  it('takes scope, time to live, issuer and audience', async () => {
    const { out } = await token(['--tenant', 'acme', '--scope', 'webhooks:read', '--ttl', '15m'], {
      JWT_SECRET: SECRET,
      JWT_ISSUER: 'https://id.example.com',
      JWT_AUDIENCE: 'webhooks',
    });
    const payload = decodeJwt(out);
    expect(payload).toMatchObject({ scope: 'webhooks:read', iss: 'https://id.example.com', aud: 'webhooks' });
    expect(payload.exp! - payload.iat!).toBe(900);
  });

  it('makes the secret of the embedded mode when there is none yet, and keeps to it', async () => {
    const first = await token(['--tenant', 'acme']);
    expect(first.exitCode).toBe(0);
    expect(existsSync(join(folder.path, 'data', 'jwt-secret'))).toBe(true);
    const secret = readFileSync(join(folder.path, 'data', 'jwt-secret'), 'utf8').trim();
    const second = await token(['--tenant', 'acme']);
    await jwtVerify(second.out, new TextEncoder().encode(secret));
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, RegExp]>([
    ['no tenant', [], {}, /^--tenant must be 1–64 of A-Z, a-z, 0-9, _ and -\nusage: npm run token/],
    ['a tenant that cannot be one', ['--tenant', 'a.b'], {}, /^--tenant must be/],
    ['a tenant too long', ['--tenant', 'a'.repeat(65)], {}, /^--tenant must be/],
    ['no value', ['--tenant'], {}, /argument missing\nusage:/],
    ['an unknown option', ['--tenant', 'a', '--role', 'x'], {}, /^Unknown option '--role'[^]*usage:/],
    [
      'a span that is none',
      ['--tenant', 'a', '--ttl', 'soon'],
      {},
      /^--ttl must be a span such as 15m, 1h or 7d/,
    ],
    ['a span in the past', ['--tenant', 'a', '--ttl=-1h'], {}, /^--ttl must be/],
    ['no time at all', ['--tenant', 'a', '--ttl', '0s'], {}, /^--ttl must be/],
    [
      'a short secret',
      ['--tenant', 'a'],
      { JWT_SECRET: 'hunter2' },
      /JWT_SECRET: expected at least 32 characters/,
    ],
    [
      'a database of one’s own and no secret',
      ['--tenant', 'a'],
      { DATABASE_URL: 'postgres://erp@127.0.0.1/erp' },
      /JWT_SECRET: required with DATABASE_URL/,
    ],
    [
      'an issuer elsewhere',
      ['--tenant', 'a'],
      { JWT_JWKS_URL: 'https://id.example.com/keys' },
      /minted by their issuer, not here/,
    ],
  ])('refuses %s: what is wrong, the usage, exit code 1, no token', async (_what, args, env, message) => {
    const { exitCode, out, err } = await token(args, env);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
    expect(err).toMatch(message);
    expect(err).toContain('usage: npm run token -- --tenant T');
    expect(err).not.toMatch(/hunter2|^\s+at /m);
  });
});
