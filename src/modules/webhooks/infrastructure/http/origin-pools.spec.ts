import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfiguredTargetPolicy } from './configured-target-policy.js';
import { OriginPools } from './origin-pools.js';
import { PinnedConnector } from './pinned-connector.js';
import { TargetResolver } from './target-resolver.js';

const BUDGET_MS = 2_000;

describe('OriginPools', () => {
  let server: Server;
  let pools: OriginPools;

  beforeEach(async () => {
    server = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const policy = new ConfiguredTargetPolicy({
      allowInsecureTargets: 'true',
      egressAllowCidrs: [],
      ownHosts: [],
    });
    const connector = new PinnedConnector({ resolver: new TargetResolver(policy) });
    pools = new OriginPools({ connector, connectionsPerOrigin: 2, maxOrigins: 3 });
  });

  afterEach(async () => {
    await pools.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const origin = (host = '127.0.0.1'): string => `http://${host}:${(server.address() as AddressInfo).port}`;

  it('gives the same pool for the same origin', () => {
    expect(pools.get(origin(), BUDGET_MS)).toBe(pools.get(origin(), BUDGET_MS));
  });

  it('never holds more origins than its limit; the one not used for the longest time goes', () => {
    const first = pools.get('http://a.example.com', BUDGET_MS);
    pools.get('http://b.example.com', BUDGET_MS);
    pools.get('http://c.example.com', BUDGET_MS);
    pools.get('http://a.example.com', BUDGET_MS);
    pools.get('http://d.example.com', BUDGET_MS);
    expect(pools.size).toBe(3);
    expect(pools.get('http://a.example.com', BUDGET_MS)).toBe(first);
  });

  it('lets a request of an evicted pool end', async () => {
    const pool = pools.get(origin(), BUDGET_MS);
    const pending = pool.request({ path: '/', method: 'GET' });
    for (const name of ['a', 'b', 'c']) pools.get(`http://${name}.example.com`, BUDGET_MS);
    expect(pool.closed).toBe(true);
    const { statusCode, body } = await pending;
    expect([statusCode, await body.text()]).toEqual([200, 'ok']);
  });

  it('forgets an origin when its last connection has ended', async () => {
    const pool = pools.get(origin(), BUDGET_MS);
    const { body } = await pool.request({ path: '/', method: 'GET' });
    await body.text();
    const disconnected = new Promise((resolve) => pool.once('disconnect', resolve));
    server.closeAllConnections();
    await disconnected;
    expect(pools.size).toBe(0);
  });

  it('forgets an origin that could not be reached', async () => {
    const nobody = 'http://127.0.0.1:9';
    await expect(pools.get(nobody, BUDGET_MS).request({ path: '/', method: 'GET' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(pools.size).toBe(0);
  });
});
