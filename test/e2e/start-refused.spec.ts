import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startServer, type ServerProcess } from '../support/server-process.js';

/** A first boot of the embedded database takes seconds, more on a loaded machine. */
const BOOT_MS = 120_000;

const SECRETS = {
  JWT_SECRET: 'e2e-secret-of-thirty-two-characters',
  WEBHOOK_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
};

/** Red when a start that cannot succeed does not end, ends with 0, or says it with a stack or in other words. */
describe('a start that cannot succeed says why, without a stack, and ends with 1', () => {
  let running: ServerProcess;
  const refused: ServerProcess[] = [];

  beforeAll(async () => {
    running = await startServer({ timeoutMs: BOOT_MS });
  }, BOOT_MS + 5_000);

  afterAll(async () => {
    for (const server of refused) await server.dispose();
    await running?.dispose();
  });

  async function refusalOf(env: Readonly<Record<string, string>>, cwd?: string): Promise<string> {
    const server = await startServer({ env, readyPath: null, ...(cwd === undefined ? {} : { cwd }) });
    if (cwd === undefined) refused.push(server);
    expect(await server.exited).toBe(1);
    const output = server.output.join('\n');
    expect(output).not.toMatch(/^ +at /m);
    return output;
  }

  it(
    'the port is taken',
    async () => {
      expect(await refusalOf({ PORT: String(running.port) })).toContain(
        `The server cannot listen on port ${running.port}: another program listens there`,
      );
    },
    BOOT_MS,
  );

  it(
    'the embedded database is open in another process',
    async () => {
      expect(await refusalOf({}, running.cwd)).toContain(
        `The embedded database in ${running.cwd}/data is in use by process ${running.pid}.`,
      );
      const answer = await fetch(`${running.url}/health/ready`);
      expect(answer.status).toBe(200);
    },
    BOOT_MS,
  );

  it(
    'the database is down',
    async () => {
      const env = { ...SECRETS, DATABASE_URL: 'postgres://app:hidden@127.0.0.1:1/erp' };
      const output = await refusalOf(env);

      expect(output).toContain('The database at 127.0.0.1:1/erp cannot be used: connect ECONNREFUSED');
      expect(output).not.toContain('hidden');
    },
    BOOT_MS,
  );

  it(
    'variables are wrong or missing: each is named, no value is shown',
    async () => {
      const output = await refusalOf({
        DATABASE_URL: 'mysql://app:hidden@db/erp',
        WEBHOOK_MAX_RETRIES: 'many',
      });

      expect(output).toContain('DATABASE_URL: expected a URL starting with postgres:// or postgresql://');
      expect(output).toContain('WEBHOOK_MAX_RETRIES: expected a whole number from 0 to 20');
      expect(output).toContain('WEBHOOK_ENCRYPTION_KEYS: required');
      expect(output).not.toMatch(/hidden|many/);
    },
    BOOT_MS,
  );
});

/** Red without a listener for the errors of BullMQ's queue: BullMQ then prints each with its stack. */
it(
  'a Redis that is away at the start is reported once, in words, and the service serves',
  async () => {
    const server = await startServer({
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
      timeoutMs: BOOT_MS,
    });
    try {
      const ready = await fetch(`${server.url}/health/ready`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({
        status: 'degraded',
        checks: { broker: { status: 'degraded' } },
      });
      const reports = server.logLines.filter(({ msg }) => msg?.startsWith('Redis does not answer'));
      // One for the deliveries; a request to the API in this time adds one for its rate limit.
      expect(reports.filter(({ msg }) => msg?.includes('deliveries are stored'))).toHaveLength(1);
      expect(new Set(reports.map(({ msg }) => msg)).size).toBe(reports.length);
      expect(server.output.join('\n')).not.toMatch(/^ +at /m);
    } finally {
      await server.dispose();
    }
  },
  BOOT_MS + 5_000,
);
