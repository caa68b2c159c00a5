import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ApiClient, signToken } from '../support/api-client.js';
import { DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { answer, RawServer } from '../support/raw-server.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres } from '../support/servers.js';
import { classOf, targetCorpus } from '../support/target-corpus.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const JWT_SECRET = 'e2e-secret-of-thirty-two-characters';
const refused = targetCorpus().filter(
  ({ stage, verdict }) => (stage === 'dns' || stage === 'rebind') && verdict === 'reject',
);

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly last_error: string;
  readonly attempt_log: readonly { readonly error_class: string; readonly status_code: number | null }[];
}

describeWithPostgres('targets of the built server, with the rules of production', () => {
  let database: TestDatabase;
  let dns: DnsServer;
  let server: ServerProcess;
  let canary: RawServer;
  let api: ApiClient;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dns = await DnsServer.start();
    canary = await RawServer.start(answer(200));
    server = await startServer({
      env: {
        NODE_ENV: 'production',
        MIGRATIONS_ON_START: 'true',
        DATABASE_URL: database.url,
        JWT_SECRET,
        WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        WEBHOOK_DNS_SERVERS: dns.address,
        PUBLIC_URL: 'https://hooks.gestiqcloud.com',
      },
    });
    api = new ApiClient(server.url, await signToken({ secret: JWT_SECRET, tenantId: 'targets' }));
  }, 180_000);
  afterAll(async () => {
    await server?.dispose();
    await canary?.stop();
    await dns?.stop();
    await database?.drop();
  });

  /** Subscribes, emits, and waits until the delivery has ended. */
  const outcomeOf = async (event: string, url: string): Promise<{ delivery: Delivery; text: string }> => {
    const created = await api.post('/subscriptions', { event, url });
    expect(created.status).toBe(201);
    const { body } = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: {} });
    return eventually(
      async () => {
        const read = await api.get<Delivery>(`/deliveries/${body.delivery_ids[0]!}`);
        expect(read.body.status).toBe('FAILED');
        return { delivery: read.body, text: read.text };
      },
      { timeoutMs: 60_000 },
    );
  };

  it.each(refused.map((one, index) => [one.id, one, index] as const))(
    '%s',
    async (_id, one, index) => {
      const { hostname } = new URL(one.url);
      const answers = one.resolvesSequence ?? [one.resolves ?? []];
      const last = answers.at(-1) ?? [];
      // One label in front: names are remembered by nobody here, but each case gets its own.
      const name = `c${index}.${hostname}`;
      dns.set(name, last);
      const closedPort = await freePort();
      for (const port of [canary.port, closedPort]) {
        const { delivery, text } = await outcomeOf(
          `targets.n${index}p${port}`,
          `https://${name}:${port}/hook`,
        );
        // Terminal at the first attempt, and the same whether somebody listens there or not.
        expect(delivery).toMatchObject({
          attempts: 1,
          last_error: `Blocked target: ${classOf(one)}`,
          attempt_log: [{ error_class: 'blocked', status_code: null }],
        });
        for (const address of last) expect(text).not.toContain(`"${address}"`);
      }
      // Red when the server connects before it has looked at the address.
      expect(canary.connections).toBe(0);
    },
    180_000,
  );

  it('refuses an answer that has turned inward since the first attempt', async () => {
    const name = 'turning.customer.com';
    // Nobody listens on this port of the first address: the attempt fails there, and the next asks anew.
    dns.set(name, 'servfail', 'servfail', ['127.0.0.1']);
    const { delivery } = await outcomeOf('targets.turning', `https://${name}:${canary.port}/hook`);
    expect(delivery.last_error).toBe('Blocked target: loopback');
    expect(delivery.attempt_log.at(0)).toMatchObject({ error_class: 'dns_error' });
    expect(delivery.attempt_log.at(-1)).toMatchObject({ error_class: 'blocked' });
    expect(canary.connections).toBe(0);
  }, 180_000);

  it('refuses its own public address', async () => {
    for (const url of ['https://hooks.gestiqcloud.com/x', 'https://HOOKS.gestiqcloud.com.:8443/']) {
      expect(await api.post('/subscriptions', { event: 'targets.own', url })).toMatchObject({
        status: 400,
        body: { detail: [{ loc: ['body', 'url'], msg: 'URL must not point back to this service' }] },
      });
    }
  });
});
