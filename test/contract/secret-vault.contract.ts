import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SecretText } from '../../src/platform/kernel/secret-text.js';
import type {
  SecretContext,
  SecretVault,
} from '../../src/modules/webhooks/application/ports/secret-vault.js';
import { SecretUnreadableError } from '../../src/modules/webhooks/domain/secret-unreadable.error.js';
import { anyText } from '../support/any-text.js';

const CONTEXT: SecretContext = { tenantId: 'acme', subscriptionId: 'sub-1', purpose: 'signing' };
const SECRET = 'canary-7f3a-secret';

function errorOf(open: () => unknown): unknown {
  try {
    return open();
  } catch (error) {
    return error;
  }
}

/** What every vault promises to the use cases; run over each adapter and over the fake. */
export function secretVaultContract(name: string, make: () => SecretVault): void {
  describe(`${name} as a SecretVault`, () => {
    it('opens what it sealed, whatever the text', () => {
      const vault = make();
      fc.assert(
        fc.property(anyText({ maxLength: 500 }), (text) => {
          expect(vault.open(vault.seal(new SecretText(text), CONTEXT), CONTEXT).reveal()).toBe(text);
        }),
      );
    });

    it('seals to printable ASCII in which the secret is not to be found', () => {
      const sealed = make().seal(new SecretText(SECRET), CONTEXT);
      expect(sealed).toMatch(/^[\x21-\x7e]+$/);
      expect(sealed).not.toContain(SECRET);
    });

    it('marks what it seals with its current key', () => {
      const vault = make();
      expect(vault.seal(new SecretText(SECRET), CONTEXT).startsWith(vault.currentMark)).toBe(true);
      expect(vault.knownMarks[0]).toBe(vault.currentMark);
    });

    it.each<[string, SecretContext]>([
      ['tenant', { ...CONTEXT, tenantId: 'acme2' }],
      ['subscription', { ...CONTEXT, subscriptionId: 'sub-2' }],
      ['purpose', { ...CONTEXT, purpose: 'signing_previous' }],
      ['split of the same characters', { ...CONTEXT, tenantId: 'acmes', subscriptionId: 'ub-1' }],
      ['context with separators inside', { ...CONTEXT, tenantId: 'acme","sub-1', subscriptionId: '' }],
    ])('does not open for another %s', (_what, other) => {
      const vault = make();
      const sealed = vault.seal(new SecretText(SECRET), CONTEXT);
      const error = errorOf(() => vault.open(sealed, other));
      expect(error).toBeInstanceOf(SecretUnreadableError);
      expect((error as SecretUnreadableError).reason).toBe('not_for_context');
    });

    it.each(['', 'plain text', 'v1.k1', '....', SECRET])('refuses %j, which is not a record', (text) => {
      const error = errorOf(() => make().open(text, CONTEXT));
      expect(error).toBeInstanceOf(SecretUnreadableError);
      expect((error as SecretUnreadableError).reason).toBe('malformed');
    });

    it('never puts the secret or the record into its error', () => {
      const vault = make();
      const sealed = vault.seal(new SecretText(SECRET), CONTEXT);
      const refused = errorOf(() => vault.open(sealed, { ...CONTEXT, tenantId: 'other' })) as Error;
      const unsealed = errorOf(() => vault.open(SECRET, CONTEXT)) as Error;
      for (const { message, stack } of [refused, unsealed]) {
        expect(`${message} ${stack}`).not.toContain(SECRET);
        expect(message).not.toContain(sealed);
      }
    });

    it('gives a secret that does not print itself', () => {
      const vault = make();
      const opened = vault.open(vault.seal(new SecretText(SECRET), CONTEXT), CONTEXT);
      expect(`${opened} ${JSON.stringify({ opened })}`).toBe('*** {"opened":"***"}');
    });
  });
}
