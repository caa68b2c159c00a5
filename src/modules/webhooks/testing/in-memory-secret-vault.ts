import { SecretText } from '../../../platform/kernel/secret-text.js';
import { SecretVault, type SecretContext } from '../application/ports/secret-vault.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';

const MARK = 'memory';

/** Encodes instead of encrypting, bound to its context like the real vault. For tests of use cases alone. */
export class InMemorySecretVault extends SecretVault {
  override readonly currentMark = `${MARK}.`;
  override readonly knownMarks = [`${MARK}.`];

  override seal(secret: SecretText, context: SecretContext): string {
    return `${MARK}.${encode(bindingOf(context))}.${encode(secret.reveal())}`;
  }

  override open(sealed: string, context: SecretContext): SecretText {
    const [mark, binding, text, ...rest] = sealed.split('.');
    if (mark !== MARK || binding === undefined || text === undefined || rest.length > 0) {
      throw SecretUnreadableError.malformed();
    }
    if (binding !== encode(bindingOf(context))) throw SecretUnreadableError.notForContext(MARK);
    return new SecretText(Buffer.from(text, 'base64url').toString('utf8'));
  }
}

function bindingOf(context: SecretContext): string {
  return JSON.stringify([context.tenantId, context.subscriptionId, context.purpose]);
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}
