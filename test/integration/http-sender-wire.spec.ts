import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AxiosHttpSender } from '../../src/modules/webhooks/infrastructure/http/axios-http-sender.js';
import { ConfiguredTargetPolicy } from '../../src/modules/webhooks/infrastructure/http/configured-target-policy.js';
import { answer, RawServer } from '../support/raw-server.js';

const TARGETS = { allowInsecureTargets: 'loopback', egressAllowCidrs: [], ownHosts: [] } as const;
const RUNS = 1_000;

/** What parsers like to rewrite, and what they leave alone. */
const ODD = [
  ...['/', '//', '/./', '/../', '/.', '/..', '.', '..', '%2e', '%2E%2e', '/%2e/', '?', '??', '&', '=', '#'],
  ...[
    "'",
    '"',
    '`',
    '{',
    '}',
    '{}',
    '|',
    '[',
    ']',
    '^',
    '<',
    '>',
    '\\',
    '\t',
    '\n',
    ' ',
    '%',
    '%zz',
    '%00',
    '%2F',
  ],
  ...[
    ';',
    ':',
    ':80',
    '@',
    '!',
    '$',
    '(',
    ')',
    '*',
    '+',
    ',',
    '~',
    '-',
    '_',
    'é',
    'e\u0301',
    '€',
    '😀',
    '\u00ad',
  ],
  ...['a', 'Z', '0', 'hook', 'x=1'],
] as const;

const host = fc.constantFrom(
  '127.0.0.1',
  'localhost',
  'LocalHost',
  '127.0.0.1',
  '127.1',
  'ⓛocalhost',
  'localhost.',
);
const protocol = fc.constantFrom('http', 'HTTP', 'hTTp');
const rest = fc.oneof(
  fc.array(fc.constantFrom(...ODD), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.webPath(),
);

describe('what a target shows and what is called', () => {
  const policy = new ConfiguredTargetPolicy(TARGETS);
  let server: RawServer;
  let sender: AxiosHttpSender;

  beforeAll(async () => {
    server = await RawServer.start(answer(200));
    sender = new AxiosHttpSender({ targets: TARGETS });
  });
  afterAll(async () => {
    await sender.close();
    await server.stop();
  });

  it('is the same byte for byte, or the target is refused with the reason', async () => {
    const tail = fc.tuple(fc.constantFrom('', '/', '/', '?'), rest).map((parts) => parts.join(''));
    let called = 0;
    await fc.assert(
      fc.asyncProperty(protocol, host, tail, async (scheme, name, given) => {
        const raw = `${scheme}://${name}:${server.port}${given}`;
        const verdict = policy.check(raw);
        if (!verdict.ok) return verdict.message.startsWith('URL ');
        const before = server.requests.length;
        const result = await sender.send({ url: verdict.text, headers: {}, body: '{}', timeoutMs: 20_000 });
        const request = server.requests[before]!;
        const hostLine = request.headerLines.find((line) => /^host: /i.test(line)) ?? '';
        expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
        expect(`http://${hostLine.slice('host: '.length)}${request.path}`).toBe(verdict.text);
        // What is ASCII in the path and query is as it was given, too.
        if (/^[\0-\x7f]*$/.test(given))
          expect(request.path).toBe(given.startsWith('/') ? given : `/${given}`);
        // Shown again, it stays what it is.
        expect(policy.check(verdict.text)).toEqual(verdict);
        called += 1;
        return true;
      }),
      { numRuns: RUNS },
    );
    expect(called).toBeGreaterThan(RUNS / 20);
  });
});
