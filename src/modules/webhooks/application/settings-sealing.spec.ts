import { describe, expect, it } from '@jest/globals';

import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
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
});
