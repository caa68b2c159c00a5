import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { HttpSendResult } from '../../src/modules/webhooks/application/ports/http-sender.js';
import type { InsecureTargets } from '../../src/modules/webhooks/domain/target-url.js';
import { AxiosHttpSender } from '../../src/modules/webhooks/infrastructure/http/axios-http-sender.js';
import { ConfiguredTargetPolicy } from '../../src/modules/webhooks/infrastructure/http/configured-target-policy.js';
import { TargetResolver } from '../../src/modules/webhooks/infrastructure/http/target-resolver.js';
import type { ApiClient } from '../support/api-client.js';
import { TestAuthority } from '../support/certificates.js';
import { countConnects } from '../support/connection-count.js';
import { DnsServer, type DnsAnswer } from '../support/dns-server.js';
import { answer, RawServer, type Behaviour } from '../support/raw-server.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';
import { classOf, targetCorpus, type TargetCase } from '../support/target-corpus.js';

const corpus = targetCorpus();
const ofStage = (...stages: readonly TargetCase['stage'][]): readonly TargetCase[] =>
  corpus.filter(({ stage }) => stages.includes(stage));
/** Cases that a test below really ran; the last test compares them with the corpus. */
const tried = new Set<string>();

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describeWithPostgres('the corpus through the API', () => {
  let app: RestApp;
  let api: ApiClient;
  let existing: string;

  beforeAll(async () => {
    app = await startRestApp();
    api = await app.clientOf('corpus');
    const { body } = await api.post<{ id: string }>('/subscriptions', {
      event: 'corpus.existing',
      url: 'https://customer.com/unchanged',
    });
    existing = `/subscriptions/${body.id}`;
  }, 180_000);
  afterAll(async () => app?.close());

  // What DNS and receivers will say is not known yet: creation goes by the text alone, which all of these pass.
  it.each(corpus.map((one) => [one.id, one] as const))(
    '%s',
    async (id, { url, stage, verdict }) => {
      const accepted = stage !== 'parse' || verdict === 'accept';
      const event = `corpus.n${corpus.findIndex((one) => one.id === id)}`;
      const created = await api.post<{ id: string; url: string }>('/subscriptions', { event, url });
      const patched = await api.patch<{ url: string }>(existing, { url });
      if (accepted) {
        // Shown as it is called.
        const { href } = new URL(url);
        expect(created).toMatchObject({ status: 201, body: { url: href } });
        expect(patched).toMatchObject({ status: 200, body: { url: href } });
      } else {
        const problem = { type: 'value_error', loc: ['body', 'url'], msg: expect.stringMatching(/^URL /) };
        expect(created).toMatchObject({ status: 400, body: { detail: [problem] } });
        expect(patched).toMatchObject({ status: 400, body: { detail: [problem] } });
        expect((await api.get<unknown[]>(`/subscriptions?event=${event}`)).body).toEqual([]);
      }
      await api.patch(existing, { url: 'https://customer.com/unchanged' });
      if (stage === 'parse') tried.add(id);
    },
    180_000,
  );
});

describe('the corpus at the connection', () => {
  let dns: DnsServer;
  let authority: TestAuthority;
  beforeAll(() => void (authority = new TestAuthority()));
  afterAll(() => authority.remove());
  beforeEach(async () => {
    dns = await DnsServer.start();
    cleanups.push(() => dns.stop());
  });

  const senderOf = (allowInsecureTargets: InsecureTargets): AxiosHttpSender => {
    const targets = { allowInsecureTargets, egressAllowCidrs: [], ownHosts: [] };
    const sender = new AxiosHttpSender({ targets, dnsServers: [dns.address], ca: authority.ca });
    cleanups.push(() => sender.close());
    return sender;
  };
  const serverOf = async (behaviour: Behaviour, tls = false): Promise<RawServer> => {
    const certificate = authority.issue(['DNS:*.customer.com']);
    const server = await RawServer.start(behaviour, tls ? { tls: certificate } : {});
    cleanups.push(() => server.stop());
    return server;
  };
  const send = (sender: AxiosHttpSender, url: string): Promise<HttpSendResult> =>
    sender.send({ url, headers: { 'Content-Type': 'application/json' }, body: '{}', timeoutMs: 8_000 });
  const resolverOf = (): TargetResolver =>
    new TargetResolver(
      new ConfiguredTargetPolicy({ allowInsecureTargets: 'false', egressAllowCidrs: [], ownHosts: [] }),
      [dns.address],
    );
  const answersOf = ({ resolves, resolvesSequence }: TargetCase): (readonly string[])[] => [
    ...(resolvesSequence ?? [resolves ?? []]),
  ];

  const refused = ofStage('dns', 'rebind').filter(({ verdict }) => verdict === 'reject');
  it.each(refused.map((one) => [one.id, one] as const))(
    '%s',
    async (id, one) => {
      const { hostname } = new URL(one.url);
      const [last = []] = answersOf(one).slice(-1);
      // However the answer comes: plain, behind aliases, over TCP after a truncated one.
      const forms: readonly DnsAnswer[] = [
        last,
        { via: ['alias.customer.com', 'edge.customer.net'], addresses: last },
        { tcp: last },
      ];
      const signal = AbortSignal.timeout(10_000);
      const canary = await serverOf(answer(200));
      const sender = senderOf('false');
      const connects = countConnects();
      cleanups.push(async () => Promise.resolve(connects.stop()));
      for (const form of forms) {
        const before = answersOf(one).slice(0, -1);
        dns.set(hostname, ...before, form);
        // The earlier answers are what was seen at registration: all fine then.
        for (const fine of before) expect(await resolverOf().resolve(hostname, signal)).toEqual(fine);
        for (const url of [one.url, one.url.replace(hostname, `${hostname}:${canary.port}`)]) {
          // Red when the resolver lets the class pass, or when it looks at the first address alone.
          expect(await send(sender, url)).toMatchObject({
            kind: 'failure',
            errorClass: 'blocked',
            error: `Blocked target: ${classOf(one)}`,
          });
        }
      }
      expect(dns.tcpQueries).toBeGreaterThan(0);
      // Red when a socket is opened first and the address looked at afterwards.
      expect(connects.count()).toBe(0);
      tried.add(id);
    },
    180_000,
  );

  const resolvable = ofStage('dns', 'rebind').filter(({ verdict }) => verdict === 'accept');
  it.each(resolvable.map((one) => [one.id, one] as const))(
    '%s',
    async (id, one) => {
      const { hostname } = new URL(one.url);
      dns.set(hostname, ...answersOf(one));
      const resolver = resolverOf();
      for (const addresses of answersOf(one)) {
        expect(await resolver.resolve(hostname, AbortSignal.timeout(10_000))).toEqual(addresses);
      }
      tried.add(id);
    },
    180_000,
  );

  it.each(ofStage('redirect').map((one) => [one.id, one] as const))(
    '%s',
    async (id, one) => {
      const { status, location } = one.response!;
      const canary = await serverOf(answer(200, 'secret of the inside'));
      // To where somebody listens, so that a follower would be seen; by name, by address and as it stands in the corpus.
      const inside = new URL(location);
      inside.port = String(canary.port);
      const locations = [
        location,
        inside.href,
        `http://127.0.0.1:${canary.port}/`,
        `//127.0.0.1:${canary.port}/`,
      ];
      const { hostname, pathname } = new URL(one.url);
      dns.set(hostname, ['127.0.0.1']);
      for (const each of locations) {
        const server = await serverOf(answer(status, 'moved', [`Location: ${each}`]), true);
        // Everything is open here, so nothing but the rule about redirects keeps it from following. Red with undici's redirect interceptor on the pool.
        const result = await send(senderOf('true'), `https://${hostname}:${server.port}${pathname}`);
        expect(result).toMatchObject({ kind: 'response', statusCode: status, responseBody: 'moved' });
        expect(server.requests).toHaveLength(1);
      }
      expect(canary.connections).toBe(0);
      tried.add(id);
    },
    180_000,
  );

  it('counts what it says it counts: a permitted target is one connection', async () => {
    const server = await serverOf(answer(200), true);
    dns.set('hook.customer.com', ['127.0.0.1']);
    const connects = countConnects();
    try {
      const sent = await send(senderOf('true'), `https://hook.customer.com:${server.port}/`);
      expect(sent).toMatchObject({ kind: 'response' });
      expect(connects.count()).toBe(1);
    } finally {
      connects.stop();
    }
  });
});

describeWithPostgres('the corpus', () => {
  it('was tried case by case', () => {
    // Red when a case is added of a kind that nothing above runs.
    expect([...tried].sort()).toEqual(corpus.map(({ id }) => id).sort());
    expect(corpus).toHaveLength(206);
  });
});
