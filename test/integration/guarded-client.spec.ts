import { expect, it } from '@jest/globals';

import { GuardedClient } from '../../src/platform/database/guarded-client.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { queryOnce } from '../support/postgres-server.js';
import { describeWithPostgres, testDatabaseUrl } from '../support/servers.js';

/** Red with a plain pg.Client: the error is thrown past every caller, which ends a process. */
describeWithPostgres('the client of PostgreSQL', () => {
  it('makes its queries reject when it is cut while nobody listens to it, and nothing else', async () => {
    const url = testDatabaseUrl();
    const client = new GuardedClient({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
    });
    await queryOnce(url, `SELECT pg_terminate_backend(${rows[0]?.pid})`);
    await ended;
    await expect(client.query('SELECT 1')).rejects.toThrow();
  });

  // Red without a limit of the client's: a statement that commits by itself has no other, and would wait for ever.
  it('gives up a statement that is not answered, and the connection with it', async () => {
    const limits = { statementMs: 1, lockMs: 0, idleMs: 0 };
    const client = new GuardedClient({ connectionString: testDatabaseUrl() }, limits);
    await client.connect();
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
    });
    await expect(client.query('SELECT pg_sleep(600)')).rejects.toThrow('timeout');
    await ended;
    await expect(client.query('SELECT 1')).rejects.toThrow();
  });

  it('is that of every connection of the service', () => {
    expect(dataSourceOptions('postgres://localhost/erp', 1)).toMatchObject({
      extra: { Client: GuardedClient },
    });
  });
});
