import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { TestAuthority } from '../support/certificates.js';
import { answer, RawServer } from '../support/raw-server.js';

let authority: TestAuthority;
let cleanup: () => Promise<void> = () => Promise.resolve();

beforeAll(() => void (authority = new TestAuthority()));
afterEach(() => cleanup());
afterAll(() => authority.remove());

/**
 * What a plain client, ours and the verifier of tokens say of a server, in a process of its own: Node reads the environment of
 * the process, of which a test has a copy.
 */
async function elsewhere(env: Readonly<Record<string, string>>, url: string): Promise<string[]> {
  const script = `
    (await import('node:module')).register('./test/support/ts-hooks.mjs', 'file://' + process.cwd() + '/');
    const load = (path) => import('file://' + process.cwd() + '/src/' + path);
    const { AxiosHttpSender } = await load('modules/webhooks/infrastructure/http/axios-http-sender.ts');
    const { TokenVerifier } = await load('platform/auth/token-verifier.ts');
    const targets = { allowInsecureTargets: 'loopback', egressAllowCidrs: [], ownHosts: [] };
    const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = [{ alg: 'RS256', kid: 'k' }, { sub: 'ana' }, 'no signature'].map(encoded).join('.');
    const url = ${JSON.stringify(url)};
    const request = { url, headers: {}, body: '{}', timeoutMs: 20_000 };
    const verifier = new TokenVerifier({ key: { kind: 'jwks', url }, issuer: null, audience: null });
    console.log(JSON.stringify([
      await fetch(url).then(({ status }) => String(status), ({ message }) => message),
      (await new AxiosHttpSender({ targets }).send(request)).error,
      await verifier.principalOf(token).then(() => 'verified', ({ code }) => code),
    ]));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return JSON.parse(stdout) as string[];
}

// Red with a client that leaves it to Node's default: of targets, and of the issuer of tokens.
it.each([
  ['0', '200'],
  ['1', 'fetch failed'],
])('checks certificates whatever NODE_TLS_REJECT_UNAUTHORIZED=%s says', async (value, plainly) => {
  const server = await RawServer.start(answer(200, '{"keys":[]}'), {
    tls: authority.selfSigned(['DNS:localhost']),
  });
  cleanup = () => server.stop();
  const said = await elsewhere({ NODE_TLS_REJECT_UNAUTHORIZED: value }, `https://localhost:${server.port}/`);
  expect(said).toEqual([
    plainly,
    'Connection error: TLS error (self-signed certificate)',
    'auth_unavailable',
  ]);
  expect(server.requests).toHaveLength(value === '0' ? 1 : 0);
});
