import { describe, expect, it } from '@jest/globals';

import type { TargetPolicy } from '../../src/modules/webhooks/application/ports/target-policy.js';
import { ConfiguredTargetPolicy } from '../../src/modules/webhooks/infrastructure/http/configured-target-policy.js';
import { FakeTargetPolicy } from '../../src/modules/webhooks/testing/fake-target-policy.js';

const PRIVATE = 'https://10.0.0.1/in';

function fake(): TargetPolicy {
  const policy = new FakeTargetPolicy();
  policy.refuse(PRIVATE);
  return policy;
}

const real = (): TargetPolicy =>
  new ConfiguredTargetPolicy({ allowInsecureTargets: 'false', egressAllowCidrs: [], ownHosts: [] });

/** What every policy promises to the use cases; which URLs the real one refuses is a corpus of its own. */
describe.each([
  ['FakeTargetPolicy', fake],
  ['ConfiguredTargetPolicy', real],
])('%s as a TargetPolicy', (_name, make) => {
  it('takes an HTTPS URL of a public name', () => {
    const text = 'https://hooks.customer.com/in?x=1';
    expect(make().check(text)).toEqual({ ok: true, text });
  });

  it('gives the text that is to be stored', () => {
    expect(make().check('HTTPS://Hooks.Customer.com:443')).toEqual({
      ok: true,
      text: 'https://hooks.customer.com/',
    });
  });

  it.each([
    ['http://hooks.customer.com/in', 'scheme', 'URL must use HTTPS protocol'],
    ['not a url', expect.any(String), expect.stringMatching(/^URL /)],
    ['', expect.any(String), expect.stringMatching(/^URL /)],
    [PRIVATE, 'ip:private', 'URL host is a private address (private)'],
  ])('refuses %j with a stable code and a sentence for people', (url, code, message) => {
    expect(make().check(url)).toMatchObject({ ok: false, code, message });
  });
});
