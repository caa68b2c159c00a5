import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { WebhookSignature } from '../../src/modules/webhooks/index.js';
import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const JWT_SECRET = 'integration-secret-of-32-characters';
const OLD_SECRET = 'the-secret-before-the-rotation';
const SECRET = 'the-secret-after-the-rotation';
const [K1, K2, K3] = ['k1', 'k_2', 'k3'].map((kid) => `${kid}:${randomBytes(32).toString('base64')}`);
/** More than one batch of the walk. */
const SUBSCRIPTIONS = 230;
/** Each has a secret; one has a previous one as well, one has secret headers, one a key pair. */
const RECORDS = SUBSCRIPTIONS + 3;
/** Keys of the service's own, that sign tokens. */
const JWT_KEYS = 2;

const REASON = 'the configured keys do not open every secret: deliveries are held';

interface Ready {
  readonly status: string;
  readonly checks: { readonly secrets: object };
}

describeWithPostgres('the rotation of encryption keys', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let receiver: Receiver;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    receiver = await Receiver.start();
  }, 180_000);
  afterAll(async () => {
    await receiver?.close();
    await admin?.end();
    await database?.drop();
  });

  /** How many records each key has sealed. */
  const records = async (): Promise<Record<string, number>> => {
    const { rows } = await admin.query<{ kid: string; n: number }>(
      `SELECT split_part(sealed, '.', 2) AS kid, count(*)::int AS n
         FROM (SELECT secret FROM webhook_subscriptions
               UNION ALL SELECT previous_secret FROM webhook_subscriptions WHERE previous_secret IS NOT NULL
               UNION ALL SELECT settings ->> 'sealed_headers' FROM webhook_subscriptions
                          WHERE settings ? 'sealed_headers'
               UNION ALL SELECT settings ->> 'sealed_key' FROM webhook_subscriptions WHERE settings ? 'sealed_key'
               UNION ALL SELECT sealed_key FROM webhook_jwt_keys) r (sealed)
        GROUP BY 1`,
    );
    return Object.fromEntries(rows.map(({ kid, n }) => [kid, n]));
  };

  describe('of a service that is restarted with other keys', () => {
    let server: ServerProcess;
    let api: ApiClient;
    let id: string;

    const boot = async (keys: string): Promise<void> => {
      server = await startServer({
        env: {
          DATABASE_URL: database.url,
          JWT_SECRET,
          WEBHOOK_ENCRYPTION_KEYS: keys,
          WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
          WEBHOOK_MAX_RETRIES: '0',
        },
      });
      api = new ApiClient(server.url, await signToken({ secret: JWT_SECRET, tenantId: 'keys' }));
    };
    const readiness = async (secrets: object): Promise<Ready> =>
      eventually(
        async () => {
          const { body, status } = await api.request<Ready>('GET', '/health/ready');
          expect(status).toBe(200);
          expect(body.checks.secrets).toEqual(secrets);
          return body;
        },
        { timeoutMs: 60_000, intervalMs: 100 },
      );
    const signatures = async (): Promise<boolean[]> => {
      const count = receiver.requests.length;
      await api.post('/deliveries', { event: 'keys.used', payload: {} });
      await receiver.waitForCount(count + 1);
      const { headers, rawBody: body } = receiver.requests[count]!;
      return [OLD_SECRET, SECRET].map(
        (secret) => WebhookSignature.verifyStandard({ secret, headers, body }).ok,
      );
    };
    const isHeld = async (delivery: string): Promise<void> =>
      eventually(async () => {
        const { body, text } = await api.get<Record<string, string>>(`/deliveries/${delivery}`);
        expect(body).toMatchObject({
          ...{ status: 'PENDING', attempts: 0, last_error: null, attempt_log: [] },
          ...{ held_reason: 'operator', held_until: body['next_attempt_at'], blocked_by: null },
        });
        expect(text).not.toMatch(/WEBHOOK_|encrypt/i);
      });
    const isDelivered = async (delivery: string): Promise<void> =>
      eventually(
        async () =>
          expect((await api.get(`/deliveries/${delivery}`)).body).toMatchObject({
            ...{ status: 'DELIVERED', attempts: 1, held_reason: null, held_until: null },
          }),
        { timeoutMs: 60_000, intervalMs: 250 },
      );
    afterAll(async () => server?.dispose());

    it('starts with one key', async () => {
      await boot(K1!);
      const made = await api.post<{ id: string }>('/subscriptions', {
        event: 'keys.used',
        url: receiver.url,
        secret: OLD_SECRET,
      });
      id = made.body.id;
      expect((await api.post(`/subscriptions/${id}/rotate-secret`, { secret: SECRET })).status).toBe(200);
      for (let n = 1; n < SUBSCRIPTIONS; n += 1) {
        const headers = n === 2 ? { Authorization: 'Bearer kept', 'X-Plain': 'p' } : {};
        const signature = n === 3 ? { scheme: 'v1a' } : { scheme: 'jwt' };
        await api.post('/subscriptions', { event: `keys.n${n}`, url: receiver.url, headers, signature });
      }
      expect(await records()).toEqual({ k1: RECORDS + JWT_KEYS });
      expect(await readiness({ status: 'up', pending: 0, unreadable: 0 })).toMatchObject({ status: 'ok' });
      expect(await signatures()).toEqual([true, true]);
      expect(await server.stop()).toBe(0);
    }, 180_000);

    it('re-encrypts everything in the background once another key comes first', async () => {
      const before = (await admin.query('SELECT id, updated_at FROM webhook_subscriptions ORDER BY id')).rows;
      await boot(`${K2!},${K1!}`);
      // Red when nothing walks over the records, or when `_` in a key's id were taken for a wildcard.
      await server.waitForLog(
        ({ msg }) => msg === `Re-encrypted ${RECORDS} signing secrets under the current key`,
      );
      await readiness({ status: 'up', pending: 0, unreadable: 0 });
      expect(await records()).toEqual({ k_2: RECORDS + JWT_KEYS });
      // It is no change that a tenant made.
      expect(
        (await admin.query('SELECT id, updated_at FROM webhook_subscriptions ORDER BY id')).rows,
      ).toEqual(before);
      expect(await signatures()).toEqual([true, true]);
      expect(await server.stop()).toBe(0);
    }, 180_000);

    it('needs the old key no more', async () => {
      await boot(K2!);
      expect(await readiness({ status: 'up', pending: 0, unreadable: 0 })).toMatchObject({ status: 'ok' });
      expect(await signatures()).toEqual([true, true]);
      const count = receiver.requests.length;
      for (const event of ['keys.n2', 'keys.n3']) {
        expect((await api.post('/deliveries', { event, payload: {} })).status).toBe(202);
      }
      await receiver.waitForCount(count + 2);
      const [second, third] = receiver.requests.slice(count);
      expect(second?.headers).toMatchObject({ authorization: 'Bearer kept', 'x-plain': 'p' });
      expect(second?.headers['x-webhook-jwt']).toMatch(/^\S+$/);
      expect(third?.headers['webhook-signature']).toMatch(/^v1,\S+ v1a,\S+$/);
      expect(await server.stop()).toBe(0);
    }, 180_000);

    it('is degraded, with a count, when the key of records is missing; their tenants can rotate', async () => {
      await boot(K3!);
      const unreadable = RECORDS + JWT_KEYS;
      expect(await readiness({ status: 'degraded', pending: 0, unreadable, reason: REASON })).toMatchObject({
        status: 'degraded',
      });
      await server.waitForLog(({ msg }) =>
        String(msg).startsWith(
          `${RECORDS} signing secrets cannot be read: The secret was sealed with key "k_2"`,
        ),
      );
      const count = receiver.requests.length;
      const sent = await api.post<{ delivery_ids: string[] }>('/deliveries', {
        event: 'keys.used',
        payload: {},
      });
      const held = sent.body.delivery_ids[0]!;
      await isHeld(held);
      expect(receiver.requests).toHaveLength(count);

      const rotated = await api.post(`/subscriptions/${id}/rotate-secret`, { secret: SECRET });
      expect(rotated).toMatchObject({ status: 200, body: { previous_secret_expires_at: null } });
      expect(await signatures()).toEqual([false, true]);
      await readiness({ status: 'degraded', pending: 0, unreadable: unreadable - 2, reason: REASON });
      await isDelivered(held);
      expect(await server.stop()).toBe(0);
    }, 180_000);

    // Red when what cannot be signed is an attempt that failed: with no retries left, each ended as FAILED.
    it('holds what a key with other bytes does not open, and delivers it by itself when the key is back', async () => {
      const wrong = `k_2:${randomBytes(32).toString('base64')}`;
      await boot(`${K3!},${wrong}`);
      const { body: seen } = await api.request<Ready>('GET', '/health/ready');
      expect(seen.checks.secrets).toMatchObject({ status: 'degraded', reason: REASON });
      const ids: string[] = [];
      for (let n = 1; n <= 3; n += 1) {
        const sent = await api.post<{ delivery_ids: string[] }>('/deliveries', {
          event: 'keys.n1',
          payload: { n },
        });
        expect(sent.status).toBe(202);
        ids.push(...sent.body.delivery_ids);
      }
      for (const held of ids) await isHeld(held);
      // One line for the key, not one for each delivery.
      const isIt = ({ msg }: { msg?: string }): boolean =>
        msg?.startsWith('A signing secret cannot be read') === true;
      await server.waitForLog(isIt);
      const lines = server.logLines.filter(isIt);
      expect(lines).toHaveLength(1);
      expect(await server.stop()).toBe(0);
      await boot(`${K3!},${K2!}`);
      for (const held of ids) await isDelivered(held);
      await readiness({ status: 'up', pending: 0, unreadable: 0 });
    }, 180_000);
  });
});
