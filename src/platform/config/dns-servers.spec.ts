import { describe, expect, it } from '@jest/globals';

import { dnsServers } from './parsers.js';

describe('dnsServers', () => {
  it.each([
    ['', []],
    ['10.0.0.53', ['10.0.0.53']],
    ['10.0.0.53, 127.0.0.1:5353', ['10.0.0.53', '127.0.0.1:5353']],
    ['fd00::53,[fd00::53]:5353', ['fd00::53', '[fd00::53]:5353']],
  ])('reads %j', (text, value) => {
    expect(dnsServers(text)).toEqual({ ok: true, value });
  });

  it.each(['dns.customer.com', '10.0.0', '127.0.0.1:0', '127.0.0.1:65536', '[127.0.0.1]:53', '127.0.0.1:x'])(
    'refuses %j',
    (text) => {
      expect(dnsServers(text)).toMatchObject({ ok: false });
    },
  );
});
