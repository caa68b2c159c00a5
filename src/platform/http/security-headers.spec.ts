import { expect, it } from '@jest/globals';

import { securityHeaders } from './security-headers.js';

it('are those of helmet, with a policy for our own pages', () => {
  expect(securityHeaders()).toMatchObject({
    'content-security-policy': expect.stringContaining(`default-src 'self';`),
    'strict-transport-security': expect.stringContaining('max-age='),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'referrer-policy': 'no-referrer',
  });
  expect(securityHeaders()['content-security-policy']).not.toContain('upgrade-insecure-requests');
});
