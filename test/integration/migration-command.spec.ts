import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { describeWithPostgres, testDatabaseUrl } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/migration.mjs');

interface Ran {
  readonly exitCode: number;
  readonly out: readonly string[];
  readonly err: string;
}

describe('npm run migration:run, :revert and :show', () => {
  const folder = temporaryFolder('webhooks-migration-command-');

  afterAll(() => {
    folder.remove();
  });

  /** The script as npm runs it, in an empty folder so that no `.env` of a developer is read. */
  const command = async (verb: string | undefined, env: Readonly<Record<string, string>>): Promise<Ran> =>
    new Promise((done) => {
      const child = execFile(
        process.execPath,
        [SCRIPT, ...(verb === undefined ? [] : [verb])],
        { cwd: folder.path, env: { PATH: process.env['PATH'], ...env } },
        (_error, out, err) => {
          done({ exitCode: child.exitCode ?? -1, out: out.split('\n').filter(Boolean), err });
        },
      );
    });

  // Red when an error is let through as it is thrown: Node prints its stack then.
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['no DATABASE_URL', {}, /^DATABASE_URL is not set: .*postgres:\/\/user:password@/],
    ['an empty one', { DATABASE_URL: ' ' }, /^DATABASE_URL is not set: /],
    [
      'no URL at all',
      { DATABASE_URL: 'hunter2' },
      /^DATABASE_URL: expected a URL starting with postgres:\/\/ or postgresql:\/\/$/,
    ],
    ['another database', { DATABASE_URL: 'mysql://root:hunter2@localhost/erp' }, /^DATABASE_URL: expected /],
    [
      'nobody listening',
      { DATABASE_URL: 'postgres://erp:hunter2@127.0.0.1:1/erp' },
      /^The migration failed\. The database at 127\.0\.0\.1:1\/erp cannot be used: .*ECONNREFUSED/,
    ],
    [
      'an unknown host',
      { DATABASE_URL: 'postgres://erp:hunter2@no-such-host.invalid/erp' },
      /^The migration failed\. The database at no-such-host\.invalid:5432\/erp cannot be used: /,
    ],
  ])('with %s: one clear line, exit code 1', async (_what, env, message) => {
    for (const verb of ['run', 'revert', 'show']) {
      const ran = await command(verb, env);
      expect(ran.err.trim()).toMatch(message);
      expect(ran).toMatchObject({ exitCode: 1, out: [] });
      expect(ran.err.trim().split('\n')).toHaveLength(1);
      expect(ran.err).not.toContain('hunter2');
    }
  });

  it.each([undefined, 'up', '--help'])('with the verb %s: the usage, exit code 1', async (verb) => {
    expect(await command(verb, { DATABASE_URL: 'postgres://127.0.0.1/erp' })).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^usage: npm run migration:run \| migration:revert \| migration:show/),
    });
  });

  describeWithPostgres('on PostgreSQL', () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await createTestDatabase(testDatabaseUrl());
    });

    afterAll(async () => {
      await database?.drop();
    });

    it('shows, runs, shows, reverts one, and has nothing left to do', async () => {
      const env = { DATABASE_URL: database.url };
      const pending = await command('show', env);
      expect(pending.exitCode).toBe(0);
      expect(pending.out.length).toBeGreaterThan(1);
      expect(pending.out[0]).toBe('[ ] CreateWebhooks1764000000000');
      expect(pending.out.filter((line) => !line.startsWith('[ ] '))).toEqual([]);
      const names = pending.out.map((line) => line.slice('[ ] '.length));

      expect(await command('revert', env)).toMatchObject({ exitCode: 0, out: ['Nothing to do.'] });
      expect(await command('run', env)).toMatchObject({
        exitCode: 0,
        out: names.map((name) => `Ran ${name}`),
      });
      expect(await command('run', env)).toMatchObject({ exitCode: 0, out: ['Nothing to do.'] });
      expect((await command('show', env)).out).toEqual(names.map((name) => `[X] ${name}`));

      const last = names.at(-1)!;
      expect(await command('revert', env)).toMatchObject({ exitCode: 0, out: [`Reverted ${last}`] });
      expect((await command('show', env)).out.at(-1)).toBe(`[ ] ${last}`);
    }, 180_000);

    it('takes DATABASE_URL from a .env file, under the environment', async () => {
      writeFileSync(join(folder.path, '.env'), `DATABASE_URL=${database.url}\n`);
      expect((await command('show', {})).exitCode).toBe(0);
      expect((await command('show', { DATABASE_URL: 'postgres://127.0.0.1:1/erp' })).exitCode).toBe(1);
    });
  });
});
