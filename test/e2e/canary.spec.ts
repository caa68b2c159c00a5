import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';

import { signToken } from '../support/api-client.js';
import { Canaries } from '../support/canaries.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgresAndRedis, testDatabaseUrl, testRedisUrl } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const ROUTES = '/api/v1/tenant/webhooks';
const unique = (): string => randomBytes(12).toString('hex');

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: string;
}

/*
 * Everything that a tenant can do, with secrets and tokens that are told from all else, at the most talkative log level;
 * then every place is searched where they could have been left.
 */
describeWithPostgresAndRedis('no secret is left anywhere', () => {
  describe.each(['inline', 'redis'] as const)('%s', (dispatcher) => {
    const canaries = new Canaries();
    /** Made known by the receiver's URL: allowed where the tenant's URL is, never in logs or in Redis. */
    const queryToken = `query-${unique()}`;
    const inUrls = new Canaries();
    const payloads = new Canaries();
    const answers: Answer[] = [];
    const commands: string[] = [];
    let database: TestDatabase;
    let admin: pg.Client;
    let redis: Redis;
    let monitor: Redis;
    let server: ServerProcess;
    let receiver: Receiver;
    let token: string;

    const secretOf = (name: string): string => {
      const secret = `canary-${name}-${unique()}`;
      canaries.add(name, secret);
      return secret;
    };
    const call = async <Body>(
      method: string,
      path: string,
      body?: unknown,
      bearer = token,
    ): Promise<Body> => {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      answers.push({ status: response.status, text, headers: JSON.stringify([...response.headers]) });
      try {
        return JSON.parse(text) as Body;
      } catch {
        return undefined as Body;
      }
    };
    const tenant = <Body>(method: string, path: string, body?: unknown): Promise<Body> =>
      call<Body>(method, ROUTES + path, body);

    beforeAll(async () => {
      database = await createTestDatabase(testDatabaseUrl());
      redis = new Redis(testRedisUrl());
      monitor = await redis.monitor();
      monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
      receiver = await Receiver.start();
      const jwtSecret = secretOf('JWT_SECRET');
      const key = randomBytes(32);
      canaries.add('encryption key', key.toString('base64'));
      server = await startServer({
        env: {
          DATABASE_URL: database.url,
          JWT_SECRET: jwtSecret,
          WEBHOOK_ENCRYPTION_KEYS: `k1:${key.toString('base64')}`,
          WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
          WEBHOOK_MAX_RETRIES: '1',
          LOG_LEVEL: 'trace',
          ...(dispatcher === 'redis'
            ? { REDIS_URL: testRedisUrl(), WEBHOOK_QUEUE_PREFIX: `canary-${unique()}` }
            : {}),
        },
      });
      admin = new pg.Client({ connectionString: database.url });
      await admin.connect();
      token = await signToken({ secret: jwtSecret, tenantId: 'canary' });
      canaries.add('bearer token', token);
      inUrls.add('token in a URL', queryToken);
      await everythingThatATenantDoes();
    }, 180_000);
    afterAll(async () => {
      monitor?.disconnect();
      redis?.disconnect();
      await admin?.end();
      await server?.dispose();
      await receiver?.close();
      await database?.drop();
    });

    async function everythingThatATenantDoes(): Promise<void> {
      const url = `${receiver.url}/hook?token=${queryToken}`;
      // One that is left as it was made, so that its first record is in the tables when they are searched.
      await tenant('POST', '/subscriptions', { event: 'canary.kept', url, secret: secretOf('kept secret') });
      const chosen = await tenant<{ id: string }>('POST', '/subscriptions', {
        event: 'canary.chosen',
        url,
        secret: secretOf('chosen secret'),
      });
      const authorization = `Bearer ${secretOf('secret header')}`;
      const made = await tenant<{ id: string; generated_secret: string }>('POST', '/subscriptions', {
        event: 'canary.made',
        url,
        headers: { Authorization: authorization },
      });
      canaries.add('generated secret', made.generated_secret);
      const rotated = await tenant<{ generated_secret: string }>(
        'POST',
        `/subscriptions/${chosen.id}/rotate-secret`,
      );
      canaries.add('rotated secret', rotated.generated_secret);
      await tenant('POST', `/subscriptions/${chosen.id}/rotate-secret`, {
        secret: secretOf('second rotation'),
      });
      await tenant('PATCH', `/subscriptions/${made.id}`, { secret: secretOf('replacing secret') });
      const held = { Authorization: '***', 'X-Api-Key': secretOf('second secret header') };
      await tenant('PATCH', `/subscriptions/${made.id}`, { headers: held });

      const payloadCanary = `payload-${unique()}`;
      payloads.add('payload', payloadCanary);
      const payload = { canary: payloadCanary };
      receiver.queue({ status: 500, body: 'failed' });
      const retried = await tenant<{ delivery_ids: string[] }>('POST', '/deliveries', {
        event: 'canary.chosen',
        payload,
      });
      // One that shows what it got.
      receiver.queue({
        status: 404,
        headers: { 'x-got': authorization, 'x-session-token': secretOf('token of a receiver') },
        body: `no ${authorization} ${held['X-Api-Key']}`,
      });
      const failed = await tenant<{ delivery_ids: string[] }>('POST', '/deliveries', {
        event: 'canary.made',
        payload,
      });
      await settled(failed.delivery_ids[0]!, 'FAILED');
      await tenant('POST', `/deliveries/${failed.delivery_ids[0]!}/retry`);
      await settled(failed.delivery_ids[0]!, 'DELIVERED');
      await settled(retried.delivery_ids[0]!, 'DELIVERED');

      // Refusals, whose answers must not repeat what was sent.
      const bad = secretOf('secret of a bad request');
      await tenant('POST', '/subscriptions', `{"event":"x","url":"https://a.com","secret":"${bad}"`);
      await tenant('POST', '/subscriptions', `{"secret":"${bad}"x}`);
      await tenant('POST', '/subscriptions', `{"secret":${bad}}`);
      // V8 quotes ten characters around a mistake: enough for a secret of the least length.
      const short = `x${randomBytes(4).toString('hex').slice(1)}`;
      canaries.add('short secret of a bad request', short);
      await tenant('POST', '/subscriptions', `{"event":"canary.bad","secret":${short}}`);
      await tenant('POST', '/subscriptions', {
        event: 'x',
        url: 'http://a.com',
        secret: `whpk_${bad}`,
        [`f`]: bad,
      });
      await tenant('PATCH', `/subscriptions/${chosen.id}`, { secret: { nested: bad } });
      await tenant('PATCH', `/subscriptions/${chosen.id}`, { headers: { Authorization: `${bad}\n` } });
      await tenant('POST', `/subscriptions/${chosen.id}/rotate-secret`, { secret: [bad] });
      await tenant('POST', '/deliveries', { event: 'canary.chosen', payload: bad });
      const forged = `${token.slice(0, -4)}AAAA`;
      canaries.add('forged token', forged);
      await call('GET', `${ROUTES}/subscriptions`, undefined, forged);
      // Our own faults, whose log lines must not repeat it either.
      await admin.query('REVOKE INSERT ON webhook_audit FROM webhooks_tenant');
      await tenant('POST', '/subscriptions', {
        event: 'canary.fault',
        url,
        secret: secretOf('secret in a fault'),
      });
      await tenant('POST', '/deliveries', { event: 'canary.chosen', payload });
      await admin.query('GRANT INSERT ON webhook_audit TO webhooks_tenant');
      await admin.query(`UPDATE webhook_subscriptions SET secret = 'v1.gone.x.y' WHERE id = $1`, [made.id]);
      await tenant('POST', '/deliveries', { event: 'canary.made', payload });

      for (const path of [
        '/subscriptions',
        '/deliveries',
        '/audit',
        '/events',
        `/deliveries/${retried.delivery_ids[0]!}`,
        `/deliveries/${failed.delivery_ids[0]!}`,
      ])
        await tenant('GET', path);
      for (const path of ['/metrics', '/docs-json', '/docs', '/health/ready', '/health/live', '/nowhere'])
        await call('GET', path);
      await tenant('DELETE', `/subscriptions/${chosen.id}`);
    }

    async function settled(id: string, status: string): Promise<void> {
      await eventually(
        async () => expect(await tenant('GET', `/deliveries/${id}`)).toMatchObject({ status }),
        { timeoutMs: 60_000, intervalMs: 100 },
      );
    }

    it('in the log, nor payloads or queries of URLs', () => {
      const log = server.output.join('\n');
      expect(log).toContain('Request failed');
      expect(log).toContain('Webhook delivered successfully');
      // Red when errors are logged with the parameters of their query, or URLs with their query.
      expect([...canaries.findIn(log), ...inUrls.findIn(log), ...payloads.findIn(log)]).toEqual([]);
      expect(log).not.toMatch(/bearer ey|"authorization"|sha256=[0-9a-f]{64}|v1,[A-Za-z0-9+/]{43}/i);
    });

    it('in an answer, but for the one that shows what was generated', () => {
      const shown = answers.filter(({ text }) => /^\{"id":.*"generated_secret":"/.test(text));
      expect(shown).toHaveLength(2);
      expect(new Set(answers.map(({ status }) => status))).toEqual(
        new Set([200, 201, 202, 204, 400, 401, 404, 500]),
      );
      for (const answer of answers) {
        const except = shown.includes(answer) ? ['generated secret', 'rotated secret'] : [];
        // Red when a refusal quotes the body that it could not parse.
        expect({
          text: answer.text.slice(0, 60),
          found: canaries.findIn(answer.text + answer.headers, except),
        }).toEqual({
          text: answer.text.slice(0, 60),
          found: [],
        });
      }
    });

    it('in a table', async () => {
      const { rows: tables } = await admin.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
          WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      const dump: string[] = [];
      for (const { name } of tables) {
        const { rows } = await admin.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
        dump.push(...rows.map(({ line }) => line));
      }
      expect(dump.join('\n')).toContain('v1.k1.');
      // Red when a secret is stored as it is.
      expect(canaries.findIn(dump.join('\n'))).toEqual([]);
    });

    it('in Redis: no command, key, value or job', async () => {
      if (dispatcher === 'redis') expect(commands.join('\n')).toContain('canary-');
      for await (const keys of redis.scanStream({ count: 1_000 })) {
        for (const key of keys as string[]) commands.push(key, await valueOf(redis, key));
      }
      const all = commands.join('\n');
      expect([...canaries.findIn(all), ...inUrls.findIn(all), ...payloads.findIn(all)]).toEqual([]);
      expect(all).not.toMatch(/bearer ey/i);
    });

    it('is what the search would find', () => {
      // The search itself: each canary in each of its forms.
      const secret = `whsec_${randomBytes(24).toString('base64')}`;
      const sample = new Canaries();
      sample.add('sample', secret);
      for (const text of [
        secret,
        secret.slice(6),
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret.slice(6), 'base64').toString('hex'),
      ])
        expect(sample.findIn(`x${text}y`)).toEqual(['sample']);
    });
  });
});

async function valueOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, 0, -1, 'WITHSCORES'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}
