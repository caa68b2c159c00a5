import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { generateSecret } from './generated-secret.js';

describe('generateSecret', () => {
  it('is whsec_ and the padded base64 of 32 bytes', () => {
    const secret = generateSecret();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
  });

  it('never gives the same one twice, and every one is accepted by the standardwebhooks package', () => {
    const secrets = Array.from({ length: 1_000 }, generateSecret);
    expect(new Set(secrets).size).toBe(1_000);
    for (const secret of secrets) expect(() => new Webhook(secret)).not.toThrow();
  });
});
