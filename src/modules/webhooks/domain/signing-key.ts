import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

const HMAC_PREFIX = 'whsec_';
const PUBLIC_PREFIX = 'whpk_';
const PRIVATE_PREFIX = 'whsk_';
/** Bytes of an ed25519 seed and of an ed25519 public key (RFC 8032, section 5.1.5). */
const ED25519_KEY_BYTES = 32;

/** The key of `X-Signature`: the secret's UTF-8 bytes, prefix included. @throws RangeError when it is empty. */
export function xSignatureKey(secret: string): KeyObject {
  requireSecret(secret);
  return createSecretKey(Buffer.from(secret, 'utf8'));
}

/**
 * The `v1` key of Standard Webhooks: what follows `whsec_`, base64-decoded; any other secret as its UTF-8 bytes.
 *
 * A `whsec_` secret whose rest is not base64 (padding may be missing) counts as "any other": all of its UTF-8 bytes.
 * Throwing instead would leave a subscription that can never be sent to, and decoding leniently, as
 * `Buffer.from(…, 'base64')` does, drops foreign characters: `whsec_!!!!!!!!` would become the empty key, which
 * anybody can sign with.
 *
 * @throws RangeError when the secret is empty.
 */
export function standardKey(secret: string): KeyObject {
  requireSecret(secret);
  const decoded = secret.startsWith(HMAC_PREFIX) ? decodeBase64(secret.slice(HMAC_PREFIX.length)) : null;
  return createSecretKey(decoded ?? Buffer.from(secret, 'utf8'));
}

/**
 * Bytes of the Standard Webhooks key in a `whsec_` secret; null when the text is no such secret, 0 when its rest is not
 * base64, so that {@link standardKey} would fall back to its UTF-8 bytes while a receiver's library refuses it.
 */
export function standardKeyBytes(secret: string): number | null {
  if (!secret.startsWith(HMAC_PREFIX)) return null;
  return decodeBase64(secret.slice(HMAC_PREFIX.length))?.length ?? 0;
}

/** Whether the text names itself a public key. Such a text must never serve as an HMAC key: it is not secret. */
export function isPublicKeyText(text: string): boolean {
  return text.startsWith(PUBLIC_PREFIX);
}

/** The ed25519 key in `whpk_<base64 of 32 bytes>`, or null when the text is something else. */
export function ed25519PublicKey(text: string): KeyObject | null {
  const raw = isPublicKeyText(text)
    ? decodeExactly(text.slice(PUBLIC_PREFIX.length), ED25519_KEY_BYTES)
    : null;
  return raw === null ? null : publicKeyOf(raw);
}

/**
 * The ed25519 key in `whsk_<base64 of seed then public key>`, 64 bytes.
 *
 * @throws RangeError when the text is something else, or when the public half is not that of the seed: signing with
 * a mismatched pair gives signatures that nobody can verify.
 */
export function ed25519PrivateKey(text: string): KeyObject {
  const raw = text.startsWith(PRIVATE_PREFIX)
    ? decodeExactly(text.slice(PRIVATE_PREFIX.length), 2 * ED25519_KEY_BYTES)
    : null;
  if (raw === null) {
    throw new RangeError(
      'The signing key must be whsk_ and the base64 of 64 bytes: the seed, then the public key',
    );
  }
  const x = raw.subarray(ED25519_KEY_BYTES).toString('base64url');
  const d = raw.subarray(0, ED25519_KEY_BYTES).toString('base64url');
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' });
  if (createPublicKey(key).export({ format: 'jwk' }).x !== x) {
    throw new RangeError(
      'The public half of the whsk_ key does not belong to its seed: generate the pair again',
    );
  }
  return key;
}

/**
 * Canonical base64 of exactly `bytes` bytes, or null. Canonical, because a lenient decoder gives the same bytes for
 * several texts, and a signature that was altered in transit must not pass.
 */
export function decodeExactly(text: string, bytes: number): Buffer | null {
  if (text.length !== Math.ceil(bytes / 3) * 4) return null;
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text ? decoded : null;
}

function decodeBase64(text: string): Buffer | null {
  const digits = text.replace(/={1,2}$/, '');
  const padded = digits.length !== text.length;
  if (!/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1) return null;
  return padded && text.length % 4 !== 0 ? null : Buffer.from(digits, 'base64');
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
}

function requireSecret(secret: string): void {
  // The empty key is known to everybody; a receiver whose secret is unset would accept any forgery.
  if (secret === '') throw new RangeError('The secret is empty: nothing can be signed or verified with it');
}
