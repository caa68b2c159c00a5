import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { SecretText } from '../../../../platform/kernel/secret-text.js';
import type { SecretContext } from '../../application/ports/secret-vault.js';
import { SecretUnreadableError } from '../../domain/secret-unreadable.error.js';
import { AesGcmSecretVault } from './aes-gcm-secret-vault.js';

const CONTEXT: SecretContext = { tenantId: 'acme', subscriptionId: 'sub-1', purpose: 'signing' };
const SECRET = 'correct horse battery staple';
const keyOf = (kid: string) => ({ kid, key: randomBytes(32) });
const [k1, k2] = [keyOf('k1'), keyOf('k2')];
const vault = new AesGcmSecretVault([k1]);

function refusalOf(open: () => unknown): SecretUnreadableError {
  try {
    open();
  } catch (error) {
    if (error instanceof SecretUnreadableError) return error;
    throw error;
  }
  throw new Error('It opened');
}

/** For thousands of records: a matcher for each would take most of the time. */
function isRefused(open: () => unknown): boolean {
  try {
    open();
    return false;
  } catch (error) {
    if (error instanceof SecretUnreadableError) return true;
    throw error;
  }
}

describe('AesGcmSecretVault', () => {
  it('writes v1.<kid>.<12-byte iv>.<ciphertext and 16-byte tag>', () => {
    const [format, kid, iv, rest] = vault.seal(new SecretText(SECRET), CONTEXT).split('.');
    expect([format, kid]).toEqual(['v1', 'k1']);
    expect(Buffer.from(iv!, 'base64url')).toHaveLength(12);
    expect(Buffer.from(rest!, 'base64url')).toHaveLength(SECRET.length + 16);
  });

  it('uses a new iv each time, so that equal secrets cannot be recognised', () => {
    const seals = Array.from({ length: 1_000 }, () => vault.seal(new SecretText(SECRET), CONTEXT));
    expect(new Set(seals.map((sealed) => sealed.split('.')[2])).size).toBe(1_000);
    expect(new Set(seals.map((sealed) => sealed.split('.')[3])).size).toBe(1_000);
  });

  // Three lengths, because base64url of two of them leaves unused bits in the last character.
  it.each(['12345678', '123456789', '1234567890'])(
    'refuses the record of %s with any character altered',
    (text) => {
      const sealed = vault.seal(new SecretText(text), CONTEXT);
      const opened: string[] = [];
      for (let index = 0; index < sealed.length; index++) {
        for (const replacement of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=') {
          if (replacement === sealed[index]) continue;
          const altered = sealed.slice(0, index) + replacement + sealed.slice(index + 1);
          if (!isRefused(() => vault.open(altered, CONTEXT))) opened.push(altered);
        }
      }
      expect(opened).toEqual([]);
    },
  );

  it('refuses a record that was cut off anywhere, or that something was added to', () => {
    const sealed = vault.seal(new SecretText(SECRET), CONTEXT);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => vault.open(sealed.slice(0, length), CONTEXT)).toThrow(SecretUnreadableError);
    }
    for (const more of ['A', '.', '.A', '=', '\n']) {
      expect(() => vault.open(sealed + more, CONTEXT)).toThrow(SecretUnreadableError);
    }
  });

  it('refuses any text as a record, with the one error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^v1\.k1\.[\w-]{16}\.[\w-]{0,60}$/)), (text) => {
        expect(() => vault.open(text, CONTEXT)).toThrow(SecretUnreadableError);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses the same key bytes under another id', () => {
    const sealed = vault.seal(new SecretText(SECRET), CONTEXT);
    const both = new AesGcmSecretVault([k1, { kid: 'k9', key: k1.key }]);
    expect(refusalOf(() => both.open(sealed.replace('v1.k1.', 'v1.k9.'), CONTEXT)).reason).toBe(
      'not_for_context',
    );
  });

  it('names a key that is missing, and a key that has other bytes than before', () => {
    const sealed = vault.seal(new SecretText(SECRET), CONTEXT);
    const missing = refusalOf(() => new AesGcmSecretVault([k2]).open(sealed, CONTEXT));
    expect([missing.reason, missing.keyId]).toEqual(['unknown_key', 'k1']);
    expect(missing.message).toContain('"k1"');
    const replaced = refusalOf(() => new AesGcmSecretVault([keyOf('k1')]).open(sealed, CONTEXT));
    expect([replaced.reason, replaced.keyId]).toEqual(['not_for_context', 'k1']);
  });

  it('does not take what is no key id for the name of a missing key', () => {
    const altered = vault.seal(new SecretText(SECRET), CONTEXT).replace('v1.k1.', 'v1.<b>k1</b>.');
    expect(refusalOf(() => vault.open(altered, CONTEXT))).toMatchObject({ reason: 'malformed', keyId: null });
  });

  it('rotates by prepending: old records open, new ones are under the new key, marks tell them apart', () => {
    const old = vault.seal(new SecretText(SECRET), CONTEXT);
    const rotated = new AesGcmSecretVault([k2, k1]);
    expect(rotated.open(old, CONTEXT).reveal()).toBe(SECRET);
    expect(rotated.knownMarks).toEqual(['v1.k2.', 'v1.k1.']);
    expect(old.startsWith(rotated.currentMark)).toBe(false);
    const resealed = rotated.seal(rotated.open(old, CONTEXT), CONTEXT);
    expect(resealed.startsWith(rotated.currentMark)).toBe(true);
    expect(new AesGcmSecretVault([k2]).open(resealed, CONTEXT).reveal()).toBe(SECRET);
    expect(old.startsWith(vault.currentMark)).toBe(true);
  });

  it('is not changed by its caller wiping or reusing the key buffer', () => {
    const key = randomBytes(32);
    const copying = new AesGcmSecretVault([{ kid: 'k1', key }]);
    const sealed = copying.seal(new SecretText(SECRET), CONTEXT);
    key.fill(0);
    expect(copying.open(sealed, CONTEXT).reveal()).toBe(SECRET);
  });

  it('does not print its keys', () => {
    const printed = inspect(vault, { depth: 9, showHidden: true }) + JSON.stringify(vault);
    expect(printed).not.toContain(k1.key.toString('hex').slice(0, 8));
    expect(printed).not.toContain(inspect(k1.key).slice(8, 20));
  });

  it.each([
    ['no key', [], /At least one/],
    ['a key of 31 bytes', [k1, { kid: 'k2', key: randomBytes(31) }], /number 2 must have 32 bytes, not 31/],
    ['an id with a dot', [{ kid: 'a.b', key: randomBytes(32) }], /number 1 needs an id/],
    ['an empty id', [{ kid: '', key: randomBytes(32) }], /number 1 needs an id/],
    ['an id given twice', [k1, keyOf('k1')], /number 2 has the id/],
  ])('is not made with %s', (_what, keys, message) => {
    expect(() => new AesGcmSecretVault(keys)).toThrow(message);
  });
});
