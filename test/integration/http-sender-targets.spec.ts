import type { TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpSendRequest } from '../../src/modules/webhooks/application/ports/http-sender.js';
import type { InsecureTargets } from '../../src/modules/webhooks/domain/target-url.js';
import { AxiosHttpSender } from '../../src/modules/webhooks/infrastructure/http/axios-http-sender.js';
import { ConfiguredTargetPolicy } from '../../src/modules/webhooks/infrastructure/http/configured-target-policy.js';
import { TargetResolver } from '../../src/modules/webhooks/infrastructure/http/target-resolver.js';
import { TestAuthority } from '../support/certificates.js';
import { DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { answer, type Behaviour, RawServer } from '../support/raw-server.js';

const NAME = 'hook.customer.com';
const SHORT_BUDGET_MS = 300;

let dns: DnsServer;
let authority: TestAuthority;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(() => void (authority = new TestAuthority()));
afterAll(() => authority.remove());
beforeEach(async () => {
  dns = await DnsServer.start();
  cleanups.push(() => dns.stop());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function senderOf(allowInsecureTargets: InsecureTargets, egressAllowCidrs: string[] = []): AxiosHttpSender {
  const targets = { allowInsecureTargets, egressAllowCidrs, ownHosts: ['webhooks.own.com'] };
  const sender = new AxiosHttpSender({
    targets,
    dnsServers: [dns.address],
    ca: authority.ca,
    connectionsPerOrigin: 1,
  });
  cleanups.push(() => sender.close());
  return sender;
}

/** As in production. */
function resolverOf(): TargetResolver {
  const options = { allowInsecureTargets: 'false', egressAllowCidrs: [], ownHosts: [] } as const;
  const policy = new ConfiguredTargetPolicy(options);
  return new TargetResolver(policy, [dns.address]);
}

async function serverOf(
  behaviour: Behaviour,
  where: { host?: string; port?: number; tls?: TlsOptions } = {},
): Promise<RawServer> {
  const server = await RawServer.start(behaviour, where);
  cleanups.push(() => server.stop());
  return server;
}

function requestTo(url: string, timeoutMs = 20_000): HttpSendRequest {
  return { url, headers: { 'Content-Type': 'application/json' }, body: '{}', timeoutMs };
}

describe('blocked targets', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['::1', 'outside-2000::/3'],
    ['::ffff:127.0.0.1', 'ipv4-mapped'],
    ['169.254.169.254', 'link-local/metadata'],
    ['10.1.2.3', 'private'],
  ])('refuses a name that resolves to %s, open port or closed', async (address, addressClass) => {
    const open = await serverOf(answer(200));
    const closed = await RawServer.start(() => {});
    const closedPort = closed.port;
    await closed.stop();
    dns.set(NAME, [address]);
    const sender = senderOf('false');
    for (const port of [open.port, closedPort]) {
      const result = await sender.send(requestTo(`https://${NAME}:${port}/`));
      expect(result).toMatchObject({
        kind: 'failure',
        errorClass: 'blocked',
        error: `Blocked target: ${addressClass}`,
      });
      expect(JSON.stringify(result)).not.toContain(address);
    }
    expect(open.connections).toBe(0);
  });

  it('refuses the whole answer when one address of it is refused', async () => {
    const server = await serverOf(answer(200));
    dns.set(NAME, ['93.184.216.34', '2606:4700::1111', '127.0.0.1']);
    const result = await senderOf('false').send(requestTo(`https://${NAME}:${server.port}/`));
    expect(result).toMatchObject({ errorClass: 'blocked', error: 'Blocked target: loopback' });
    dns.set(NAME, ['93.184.216.34', '::1']);
    const mixed = await senderOf('false').send(requestTo(`https://${NAME}:${server.port}/`));
    expect(mixed).toMatchObject({ errorClass: 'blocked', error: 'Blocked target: outside-2000::/3' });
    expect(server.connections).toBe(0);
  });

  it('refuses a name that resolves to loopback in loopback mode too', async () => {
    const server = await serverOf(answer(200));
    dns.set(NAME, ['127.0.0.1']);
    const result = await senderOf('loopback').send(requestTo(`https://${NAME}:${server.port}/`));
    expect(result).toMatchObject({ errorClass: 'blocked', error: 'Blocked target: loopback' });
    expect(server.connections).toBe(0);
  });

  it.each([
    ['https://127.0.0.1:8443/', 'loopback'],
    ['https://[::ffff:127.0.0.1]:8443/', 'ipv4-mapped'],
    ['http://example.com/', 'scheme'],
    ['https://webhooks.own.com/', 'own-host'],
    ['https://example.com:6379/', 'port'],
  ])('checks the text of a stored URL again: %s', async (url, reason) => {
    expect(await senderOf('false').send(requestTo(url))).toMatchObject({
      errorClass: 'blocked',
      error: `Blocked target: ${reason}`,
    });
  });

  it('resolves anew for the next connection: an answer that turned inward is refused', async () => {
    dns.set(NAME, ['93.184.216.34'], ['127.0.0.1']);
    const resolver = resolverOf();
    const { signal } = new AbortController();
    expect(await resolver.resolve(NAME, signal)).toEqual(['93.184.216.34']);
    await expect(resolver.resolve(NAME, signal)).rejects.toThrow('Blocked target: loopback');
    const canary = await serverOf(answer(200));
    const result = await senderOf('false').send(requestTo(`https://${NAME}:${canary.port}/`));
    expect(result).toMatchObject({ errorClass: 'blocked' });
    expect(canary.connections).toBe(0);
  });
});

describe('names', () => {
  it('asks once per connection and stays with the address that it got', async () => {
    const first = await serverOf((request) => {
      answer(200, 'first')(request);
      if (request.path === '/last') request.socket.end();
    });
    const second = await serverOf(answer(200, 'second'), { host: '127.0.0.2', port: first.port });
    dns.set(NAME, ['127.0.0.1'], ['127.0.0.2']);
    const sender = senderOf('true');
    const send = (path: string) => sender.send(requestTo(`http://${NAME}:${first.port}${path}`));
    expect(await send('/')).toMatchObject({ responseBody: 'first' });
    expect(await send('/last')).toMatchObject({ responseBody: 'first' });
    expect(dns.lookupsOf(NAME)).toBe(1);
    await eventually(() => expect(first.openConnections).toBe(0), { message: 'the first server closes' });
    expect(await send('/')).toMatchObject({ responseBody: 'second' });
    expect(dns.lookupsOf(NAME)).toBe(2);
    expect(first.connections + second.connections).toBe(2);
  });

  it('tries the next address when one refuses', async () => {
    const server = await serverOf(answer(200, 'here'));
    dns.set(NAME, ['127.0.0.3', '127.0.0.1']);
    expect(await senderOf('true').send(requestTo(`http://${NAME}:${server.port}/`))).toMatchObject({
      responseBody: 'here',
    });
  });

  it('maps localhost to this machine without DNS', async () => {
    const server = await serverOf(answer(200, 'local'));
    dns.set('localhost', ['10.9.9.9']);
    expect(await senderOf('loopback').send(requestTo(`http://localhost:${server.port}/`))).toMatchObject({
      responseBody: 'local',
    });
    expect(dns.lookupsOf('localhost')).toBe(0);
  });

  it('names what DNS said', async () => {
    dns.set('broken.customer.com', 'servfail');
    dns.set('empty.customer.com', []);
    const sender = senderOf('false');
    for (const [name, code] of [
      ['missing.customer.com', 'ENOTFOUND'],
      ['broken.customer.com', 'ESERVFAIL'],
      ['empty.customer.com', 'ENODATA'],
    ]) {
      expect(await sender.send(requestTo(`https://${name}/`))).toMatchObject({
        kind: 'failure',
        errorClass: 'dns_error',
        error: `Connection error: DNS lookup failed (${code})`,
      });
    }
  });

  it.each([
    [4, ['127.0.0.1']],
    [6, ['::1']],
  ] as const)('does not wait long for the other family when IPv%d has answered', async (only, addresses) => {
    const server = await serverOf(answer(200, 'here'), { host: addresses[0] });
    dns.set(NAME, { only, addresses });
    // Within 3 s only when the silent query, which ends after 4.5 s, is not waited for.
    expect(await senderOf('true').send(requestTo(`http://${NAME}:${server.port}/`, 3_000))).toMatchObject({
      responseBody: 'here',
    });
  });

  // Red without a grace: the address of the family that answered first would be called.
  it.each([
    [6, ['93.184.216.34', '::1']],
    [4, ['127.0.0.1', '2606:4700::1111']],
  ] as const)('refuses for what IPv%d says a moment after the other family', async (late, addresses) => {
    dns.set(NAME, { late, addresses });
    await expect(resolverOf().resolve(NAME, new AbortController().signal)).rejects.toThrow('Blocked target:');
  });

  it('counts DNS into the budget', async () => {
    dns.set('silent.customer.com', 'silence');
    const result = await senderOf('false').send(requestTo('https://silent.customer.com/', SHORT_BUDGET_MS));
    expect(result).toMatchObject({ errorClass: 'timeout', error: 'Request timeout (0.3s)' });
    expect(result.durationMs).toBeLessThan(SHORT_BUDGET_MS * 20);
  });
});

describe('TLS', () => {
  const urlOf = (server: RawServer): string => `https://localhost:${server.port}/`;

  it('accepts a certificate for the name and offers HTTP/1.1', async () => {
    const server = await serverOf(answer(200, 'secure'), { tls: authority.issue(['DNS:localhost']) });
    expect(await senderOf('loopback').send(requestTo(urlOf(server)))).toMatchObject({
      responseBody: 'secure',
    });
  });

  it('accepts a certificate for an address literal', async () => {
    const server = await serverOf(answer(200, 'secure'), { tls: authority.issue(['IP:127.0.0.1']) });
    expect(await senderOf('loopback').send(requestTo(`https://127.0.0.1:${server.port}/`))).toMatchObject({
      responseBody: 'secure',
    });
  });

  it.each([
    [
      'certificate does not match the host name',
      () => authority.issue(['DNS:other.customer.com', 'IP:127.0.0.1']),
    ],
    ['self-signed certificate', () => authority.selfSigned(['DNS:localhost'])],
    ['certificate has expired', () => authority.issue(['DNS:localhost'], { isExpired: true })],
  ])('names: %s', async (reason, makeCertificate) => {
    const server = await serverOf(answer(200), { tls: makeCertificate() });
    expect(await senderOf('loopback').send(requestTo(urlOf(server)))).toMatchObject({
      kind: 'failure',
      errorClass: 'tls_error',
      error: `Connection error: TLS error (${reason})`,
    });
    expect(server.requests).toHaveLength(0);
  });

  it('names a peer that speaks no TLS', async () => {
    const plain = await serverOf(() => {});
    // What comes first is a ClientHello.
    plain.onFirstBytes((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const result = await senderOf('loopback').send(requestTo(urlOf(plain)));
    expect(result).toMatchObject({ errorClass: 'tls_error', error: expect.stringContaining('TLS error (') });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'names a client certificate that is asked for, %s',
    async (version) => {
      const options = {
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: version,
        maxVersion: version,
      };
      const server = await serverOf(answer(200), {
        tls: { ...authority.issue(['DNS:localhost']), ca: authority.ca, ...options },
      });
      const sender = senderOf('loopback');
      for (let i = 0; i < 5; i += 1) {
        expect(await sender.send(requestTo(urlOf(server)))).toMatchObject({
          errorClass: 'tls_error',
          error: expect.stringMatching(/TLS error \(.*(certificate|handshake failure)/),
        });
      }
      expect(server.requests).toHaveLength(0);
    },
  );

  it('lets a slow handshake use the whole budget although there is a second address', async () => {
    const slow = await serverOf(() => {});
    // ::1 refuses; 127.0.0.1 never says a word.
    const budgetMs = 1_500;
    const result = await senderOf('loopback').send(requestTo(urlOf(slow), budgetMs));
    expect(result).toMatchObject({
      ...{ kind: 'failure', errorClass: 'timeout', error: 'Request timeout (1.5s) during the TLS handshake' },
    });
    expect(result.durationMs).toBeGreaterThanOrEqual(budgetMs - 5);
    expect(slow.connections).toBe(1);
  });

  // Red when it is asked before there is a connection: a process may stand still for long while one is being made.
  it('asks whether it may be sent when the handshake is over, and writes nothing when it may not', async () => {
    let mayWrite = true;
    const server = await serverOf(answer(200), {
      tls: {
        ...authority.issue(['DNS:localhost']),
        ALPNCallback: ({ protocols }) => {
          mayWrite = false;
          return protocols[0];
        },
      },
    });
    const sender = senderOf('loopback');
    const request = requestTo(urlOf(server));
    expect(await sender.send({ ...request, mayWrite: () => mayWrite })).toMatchObject({ kind: 'withheld' });
    expect(server.requests).toHaveLength(0);
    expect(await sender.send(request)).toMatchObject({ statusCode: 200 });
    // The same connection: it was as good as new.
    expect(server.connections).toBe(1);
  });

  it('goes on to the next address when the handshake with the first hangs', async () => {
    const silent = await serverOf(() => {});
    const server = await serverOf(answer(200, 'second'), {
      ...{ host: '127.0.0.2', port: silent.port },
      tls: authority.issue([`DNS:${NAME}`]),
    });
    dns.set(NAME, ['127.0.0.1', '127.0.0.2']);
    expect(await senderOf('true').send(requestTo(`https://${NAME}:${server.port}/`))).toMatchObject({
      responseBody: 'second',
    });
    await eventually(() => expect(silent.openConnections).toBe(0), { message: 'the first is given up' });
  });

  it('counts the handshake into the budget and gives the connection up with it', async () => {
    const silent = await serverOf(() => {});
    const result = await senderOf('loopback').send(requestTo(urlOf(silent), SHORT_BUDGET_MS));
    expect(result).toMatchObject({ errorClass: 'timeout' });
    expect(result.durationMs).toBeLessThan(SHORT_BUDGET_MS * 20);
    await eventually(() => expect(silent.openConnections).toBe(0), { message: 'the connection is dropped' });
  });
});
