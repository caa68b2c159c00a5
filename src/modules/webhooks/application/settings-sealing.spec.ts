import { describe, expect, it } from '@jest/globals';

import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { prepareKeyPair, WebhookSignature } from '../domain/signature.js';
import type { SignatureWish } from '../domain/signature-scheme.js';
import { DEFAULT_SETTINGS, type SubscriptionSettings } from '../domain/subscription-settings.js';
import { InMemorySecretVault } from '../testing/in-memory-secret-vault.js';
import { openHeaders } from './sealed-header-values.js';
import { VaultSettingsSealing } from './settings-sealing.js';

const OF = { tenantId: 'acme', subscriptionId: 's1' };

describe('VaultSettingsSealing', () => {
  const vault = new InMemorySecretVault();
  const sealing = new VaultSettingsSealing(vault, OF);
  const valuesOf = ({ sealedHeaders }: Pick<SubscriptionSettings, 'sealedHeaders'>): object =>
    Object.fromEntries(openHeaders(vault, sealedHeaders ?? '', OF));
  const set = (wish: Record<string, string>, current = DEFAULT_SETTINGS): SubscriptionSettings => ({
    ...DEFAULT_SETTINGS,
    ...sealing.headers(wish, current),
  });

  it('keeps plain values as they are and secret ones sealed, in order', () => {
    const made = set({ 'X-B': 'b', Authorization: 'Bearer 1', 'X-A': 'a', 'X-Api-Key': 'k' });
    expect(made.headers).toEqual([
      { name: 'X-B', value: 'b' },
      { name: 'Authorization', value: null },
      { name: 'X-A', value: 'a' },
      { name: 'X-Api-Key', value: null },
    ]);
    expect(valuesOf(made)).toEqual({ authorization: 'Bearer 1', 'x-api-key': 'k' });
    expect(JSON.stringify(made)).not.toContain('Bearer');
  });

  it('seals nothing when nothing is secret', () => {
    expect(set({ 'X-A': '***' })).toMatchObject({
      headers: [{ name: 'X-A', value: '***' }],
      sealedHeaders: null,
    });
  });

  it('keeps what *** stands for, whatever the case of the name, and forgets the rest', () => {
    const before = set({ Authorization: 'Bearer 1', 'X-Api-Key': 'k', Cookie: 'c' });
    const after = set({ AUTHORIZATION: '***', 'X-Api-Key': 'new' }, before);
    expect(valuesOf(after)).toEqual({ authorization: 'Bearer 1', 'x-api-key': 'new' });
    expect(after.headers.map(({ name }) => name)).toEqual(['AUTHORIZATION', 'X-Api-Key']);
  });

  it.each([
    ['never was', DEFAULT_SETTINGS],
    ['cannot be read', { ...DEFAULT_SETTINGS, sealedHeaders: 'gone.with.a-key' }],
  ])('refuses to keep a value that %s', (_why, current) => {
    const change = (): unknown => set({ 'X-Api-Key': 'k', Authorization: '***' }, current);
    expect(change).toThrow(InvalidInputError);
    expect(change).toThrow('*** keeps a stored value, and there is none: give the value');
  });

  it('is bound to its subscription', () => {
    const made = set({ Authorization: 'Bearer 1' });
    expect(() => openHeaders(vault, made.sealedHeaders ?? '', { ...OF, subscriptionId: 's2' })).toThrow();
  });

  describe('of a signature', () => {
    const wanted = (wish: SignatureWish, current = DEFAULT_SETTINGS): SubscriptionSettings => ({
      ...current,
      ...sealing.signature(wish, current),
    });
    const opened = (sealed: string | null, purpose: 'signing_key' | 'signing_key_previous'): string =>
      vault.open(sealed ?? '', { ...OF, purpose }).reveal();

    it('makes a pair of keys for v1a, shows the public one, and keeps them until it is asked for something else', () => {
      const made = wanted({ scheme: 'v1a' });
      expect(made.publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
      const { standard } = prepareKeyPair(opened(made.sealedKey, 'signing_key'));
      const headers = {
        ...{ 'webhook-id': 'd', 'webhook-timestamp': '1800000000' },
        'webhook-signature': standard('d', 1_800_000_000, '{}'),
      };
      const secret = made.publicKey ?? '';
      expect(
        WebhookSignature.verifyStandard({ secret, headers, body: '{}', nowSeconds: 1_800_000_000 }).ok,
      ).toBe(true);
      expect(wanted({ scheme: 'v1a' }, made)).toEqual(made);
      expect(wanted({}, made)).toEqual(DEFAULT_SETTINGS);
      expect(wanted({ scheme: 'v1a' }).publicKey).not.toBe(made.publicKey);
    });

    it('makes another pair at a rotation, and keeps the one before if it is to', () => {
      const first = wanted({ scheme: 'v1a' });
      const second = sealing.withNewKey(first, true);
      expect(second.publicKey).not.toBe(first.publicKey);
      expect(opened(second.sealedPreviousKey, 'signing_key_previous')).toBe(
        opened(first.sealedKey, 'signing_key'),
      );
      expect(sealing.withNewKey(second, false).sealedPreviousKey).toBeNull();
      expect(
        sealing.withNewKey({ ...first, sealedKey: 'gone.with.a-key' }, true).sealedPreviousKey,
      ).toBeNull();
      expect(sealing.withNewKey(DEFAULT_SETTINGS, true)).toEqual(DEFAULT_SETTINGS);
    });
  });
});
