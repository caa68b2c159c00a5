import { afterEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { canListen } from './free-port.js';
import { queryOnce, startPostgres } from './postgres-server.js';
import { startRedis } from './redis-server.js';
import { describeWithPostgres, describeWithRedis, testDatabaseUrl } from './servers.js';
import { createTestDatabase, preparedTemplate } from './test-database.js';

const clients: Redis[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

function connect(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 20 });
  client.on('error', () => undefined); // it reconnects by itself
  clients.push(client);
  return client;
}

describeWithRedis('startRedis', () => {
  it('survives a kill as another, empty process on the same port', async () => {
    const redis = await startRedis();
    const client = connect(redis.url);
    await client.set('key', 'value');
    const { pid } = redis;

    await redis.kill();
    expect(await canListen(redis.port)).toBe(true);
    expect(() => redis.pid).toThrow('not running');

    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    expect(await client.get('key')).toBeNull();
    await redis.dispose();
    expect(await canListen(redis.port)).toBe(true);
  });

  it('notices that somebody else answers on its port', async () => {
    const mine = await startRedis();
    await mine.assertIsMine();
    await mine.stop();
    const other = await startRedis({ port: mine.port });

    await expect(mine.assertIsMine()).rejects.toThrow('not running');
    Object.defineProperty(mine, 'pid', { value: other.pid + 1 });
    await expect(mine.assertIsMine()).rejects.toThrow(`is process ${other.pid}`);
    await other.dispose();
    await mine.dispose();
  });
});

describeWithPostgres('startPostgres', () => {
  it('keeps committed rows over a crash and a restart', async () => {
    const postgres = await startPostgres();
    await queryOnce(postgres.url, 'CREATE TABLE kept AS SELECT 1 AS id');
    const { pid } = postgres;

    await postgres.kill();
    expect(await canListen(postgres.port)).toBe(true);
    await postgres.restart();
    expect(postgres.pid).not.toBe(pid);
    await postgres.assertIsMine();
    await postgres.restart();
    expect(await queryOnce(postgres.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);

    await postgres.dispose();
    expect(await canListen(postgres.port)).toBe(true);
  });
});

describeWithPostgres('createTestDatabase', () => {
  it('gives each caller a database of its own, and drops it with sessions open', async () => {
    const first = await createTestDatabase(testDatabaseUrl());
    const second = await createTestDatabase(testDatabaseUrl());
    await queryOnce(first.url, 'CREATE TABLE only_here (id int)');

    await expect(queryOnce(second.url, 'SELECT * FROM only_here')).rejects.toThrow('does not exist');
    await first.drop();
    await second.drop();
    await expect(queryOnce(first.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  it('copies a template that is prepared once, also when two ask for it at the same time', async () => {
    let prepared = 0;
    const prepare = async (url: string): Promise<void> => {
      prepared += 1;
      await queryOnce(url, 'CREATE TABLE migrated (id int)');
    };
    const ask = (): Promise<string> => preparedTemplate(testDatabaseUrl(), 'support-spec', prepare);
    const [template, again] = await Promise.all([ask(), ask()]);
    expect(again).toBe(template);

    const database = await createTestDatabase(testDatabaseUrl(), { template });
    expect(await queryOnce(database.url, 'SELECT * FROM migrated')).toEqual([]);
    expect(prepared).toBe(1);
    await database.drop();
  });
});
