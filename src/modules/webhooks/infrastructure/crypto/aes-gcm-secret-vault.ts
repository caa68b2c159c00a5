import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { SecretText } from '../../../../platform/kernel/secret-text.js';
import { SecretVault, type SecretContext } from '../../application/ports/secret-vault.js';
import { SecretUnreadableError } from '../../domain/secret-unreadable.error.js';

/** A key and the name under which records refer to it. */
export interface EncryptionKey {
  /** 1 to 64 of `[A-Za-z0-9_-]`; never given to other bytes again. */
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** The IV length for which GCM is specified without hashing (NIST SP 800-38D, 8.2.2: random, below 2^32 writes per key). */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'v1';
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

interface SealedRecord {
  readonly kid: string;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/**
 * AES-256-GCM under the first of the given keys. A record is `v1.<kid>.<iv>.<ciphertext and tag>`, the last two in
 * base64url, and opens only for the tenant, subscription and purpose for which it was sealed. To rotate, put a new key
 * first and keep the old ones behind it until every record begins with {@link currentMark}.
 */
export class AesGcmSecretVault extends SecretVault {
  override readonly currentMark: string;
  override readonly knownMarks: readonly string[];
  readonly #keys = new Map<string, KeyObject>();
  readonly #currentKid: string;
  readonly #currentKey: KeyObject;

  /**
   * @param keys the first seals and opens, the others only open
   * @throws RangeError when there is no key, a key has not 32 bytes, or an id is malformed or given twice.
   */
  constructor(keys: readonly EncryptionKey[]) {
    super();
    for (const [index, { kid, key }] of keys.entries()) {
      // Named by position, not by id: someone who swapped the halves of `kid:key` would find the key in a log.
      const which = `Encryption key number ${index + 1}`;
      if (!KEY_ID.test(kid)) throw new RangeError(`${which} needs an id of 1-64 characters A-Z a-z 0-9 _ -`);
      if (key.length !== KEY_BYTES)
        throw new RangeError(`${which} must have ${KEY_BYTES} bytes, not ${key.length}`);
      if (this.#keys.has(kid)) throw new RangeError(`${which} has the id of an earlier one`);
      this.#keys.set(kid, createSecretKey(key));
    }
    const [first] = this.#keys;
    if (first === undefined) throw new RangeError('At least one encryption key is needed');
    [this.#currentKid, this.#currentKey] = first;
    this.currentMark = markOf(this.#currentKid);
    this.knownMarks = [...this.#keys.keys()].map(markOf);
  }

  override seal(secret: SecretText, context: SecretContext): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#currentKey, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundTo(this.#currentKid, context));
    const sealed = Buffer.concat([
      cipher.update(secret.reveal(), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `${this.currentMark}${iv.toString('base64url')}.${sealed.toString('base64url')}`;
  }

  override open(sealed: string, context: SecretContext): SecretText {
    const record = parse(sealed);
    if (record === null) throw SecretUnreadableError.malformed();
    const key = this.#keys.get(record.kid);
    if (key === undefined) throw SecretUnreadableError.unknownKey(record.kid);
    const decipher = createDecipheriv(CIPHER, key, record.iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(record.kid, context));
    decipher.setAuthTag(record.tag);
    const text = decipher.update(record.ciphertext);
    try {
      return new SecretText(Buffer.concat([text, decipher.final()]).toString('utf8'));
    } catch {
      // `final` throws for one cause only, a tag that does not fit; its own message says nothing about which record.
      throw SecretUnreadableError.notForContext(record.kid);
    }
  }
}

/** How a record of a key begins; no id of a key holds a dot. */
function markOf(kid: string): string {
  return `${FORMAT}.${kid}.`;
}

/** JSON of a fixed list: no two contexts give the same bytes, which joining with a separator could not promise. */
function boundTo(kid: string, context: SecretContext): Buffer {
  return Buffer.from(
    JSON.stringify([FORMAT, kid, context.tenantId, context.subscriptionId, context.purpose]),
    'utf8',
  );
}

function parse(sealed: string): SealedRecord | null {
  const [format, kid = '', ivText = '', sealedText = '', ...rest] = sealed.split('.');
  if (format !== FORMAT || rest.length > 0 || !KEY_ID.test(kid)) return null;
  const iv = decode(ivText);
  const bytes = decode(sealedText);
  if (iv?.length !== IV_BYTES || bytes === null || bytes.length < TAG_BYTES) return null;
  const end = bytes.length - TAG_BYTES;
  return { kid, iv, ciphertext: bytes.subarray(0, end), tag: bytes.subarray(end) };
}

/** Canonical base64url only: a lenient decoder would open a record of which the last character was altered. */
function decode(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
