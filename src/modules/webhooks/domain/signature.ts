import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { headerOf, type ReceivedHeaders } from './received-headers.js';
import { ed25519PrivateKey, standardKey, xSignatureKey } from './signing-key.js';
import {
  isRawBody,
  signV1,
  signV1a,
  verifyStandard,
  type RawBody,
  type StandardVerification,
  type StandardVerificationInput,
} from './standard-signature.js';
import { verifyWebhookJwt, type JwtVerification, type JwtVerificationInput } from './verify-webhook-jwt.js';

const PREFIX = 'sha256=';
/** In lower case; the second one is there while a rotation overlaps. */
const SIGNATURE_HEADERS = ['x-signature', 'x-signature-previous'] as const;
const HEX_SHA256 = /^[0-9a-fA-F]{64}$/;

/** Signs body after body with one secret whose keys were prepared once. Holds them in closures: it does not print. */
export interface PreparedSigner {
  /** The value of `X-Signature`: `sha256=<hex>`. */
  xSignature(body: RawBody): string;
  /** The value of `webhook-signature`: `v1,<base64>`. @throws RangeError for a bad id or timestamp. */
  standard(id: string, timestampSeconds: number, body: RawBody): string;
  /** The key of `X-Signature`, for an HS256 token. */
  readonly key: KeyObject;
}

/** Signs `v1a` with a key pair that was prepared once. */
export interface PreparedKeyPair {
  /** @throws RangeError for a bad id or timestamp. */
  standard(id: string, timestampSeconds: number, body: RawBody): string;
}

/**
 * Prepares the keys of both schemes, for a sender that signs many bodies with one secret.
 *
 * @throws RangeError when the secret is empty.
 * @example
 * const signer = prepareSigner(secret);
 * headers['X-Signature'] = signer.xSignature(body);
 */
export function prepareSigner(secret: string): PreparedSigner {
  const rawKey = xSignatureKey(secret);
  const key = standardKey(secret);
  return {
    key: rawKey,
    xSignature: (body) => signRaw(rawKey, body),
    standard: (id, timestampSeconds, body) => signV1(key, id, timestampSeconds, body),
  };
}

/** The same for the `whsk_` key of a pair. @throws RangeError for a malformed key. */
export function prepareKeyPair(privateKey: string): PreparedKeyPair {
  const key = ed25519PrivateKey(privateKey);
  return { standard: (id, timestampSeconds, body) => signV1a(key, id, timestampSeconds, body) };
}

/**
 * Signs and verifies webhooks. Needs nothing but `node:crypto`, so that receivers can use it in any framework.
 * Always give it the body as it was received: parsing and serialising again changes bytes, and the signature fails.
 */
export const WebhookSignature = {
  /**
   * The value of `X-Signature` for a body: `sha256=` and the HMAC-SHA256 in hex, keyed with the secret's UTF-8 bytes.
   *
   * @throws RangeError when the secret is empty.
   * @example WebhookSignature.sign('test-secret', '{"a":1}')
   */
  sign(secret: string, body: RawBody): string {
    return signRaw(xSignatureKey(secret), body);
  },

  /**
   * Whether a body was signed with this secret. Give it the headers as they came: `X-Signature` counts, and during the
   * overlap of a rotation `X-Signature-Previous`, so that a receiver goes on with the secret that it knows. A single
   * value of `X-Signature` does as well; the hex may be of either case and the prefix may be missing. Compares in constant
   * time; anything unusable (no header, empty secret, a body that was parsed already) is `false`, never an exception.
   *
   * Says nothing about age: a recorded request verifies for ever. Use {@link verifyStandard} against replays.
   *
   * @example
   * if (!WebhookSignature.verifyRaw(secret, request.rawBody, request.headers)) return reply.code(401).send();
   */
  verifyRaw(
    secret: string,
    body: RawBody,
    signature: string | readonly string[] | ReceivedHeaders | undefined,
  ): boolean {
    if (typeof secret !== 'string' || secret === '' || !isRawBody(body)) return false;
    const candidates =
      typeof signature === 'string'
        ? [signature]
        : SIGNATURE_HEADERS.map((name) => headerOf(signature, name));
    const hexes = candidates.map((one) => (one.startsWith(PREFIX) ? one.slice(PREFIX.length) : one));
    // After this all buffers have 32 bytes: the comparison's time depends on nothing that is secret.
    const given = hexes.filter((hex) => HEX_SHA256.test(hex));
    if (given.length === 0) return false;
    const expected = createHmac('sha256', xSignatureKey(secret)).update(body).digest();
    return given.some((hex) => timingSafeEqual(expected, Buffer.from(hex, 'hex')));
  },

  /**
   * The value of `webhook-signature` by Standard Webhooks: `v1,<base64>` over `id.timestamp.body`. The key of a
   * `whsec_` secret is its base64-decoded rest; any other secret is used as its UTF-8 bytes.
   *
   * @param timestampSeconds whole seconds since the epoch, the same as in `webhook-timestamp`
   * @throws RangeError for an empty secret, an id with a dot or anything but visible ASCII, a time in milliseconds.
   */
  signStandard(secret: string, id: string, timestampSeconds: number, body: RawBody): string {
    return signV1(standardKey(secret), id, timestampSeconds, body);
  },

  /**
   * The asymmetric variant: `v1a,<base64>`, ed25519. The receiver needs the `whpk_` public key alone.
   *
   * @param privateKey `whsk_` and the base64 of 64 bytes: the seed, then the public key
   * @throws RangeError for a malformed key, id or timestamp.
   */
  signStandardAsymmetric(privateKey: string, id: string, timestampSeconds: number, body: RawBody): string {
    return signV1a(ed25519PrivateKey(privateKey), id, timestampSeconds, body);
  },

  /**
   * Verifies `webhook-id`, `webhook-timestamp` and `webhook-signature`: right signature and recent. Several signatures
   * (separated by spaces) and several secrets are tried, unknown versions are ignored. A `whpk_` key accepts `v1a`
   * only and any other secret `v1` only, so that a public key can never be passed off as an HMAC secret. Never throws.
   *
   * @example
   * const result = WebhookSignature.verifyStandard({ secret, headers: request.headers, body: request.rawBody });
   * if (!result.ok) return reply.code(401).send({ detail: result.reason });
   */
  verifyStandard(input: StandardVerificationInput): StandardVerification {
    return verifyStandard(input);
  },

  /**
   * Verifies `X-Webhook-JWT` of a subscription with `signature.scheme` `jwt`: signed by us, for this subscription and origin,
   * recent, and for this very body. The algorithm is the one that you name, never the one that the token names. Never throws.
   *
   * The keys of EdDSA and ES256 are at `/.well-known/webhooks/jwks.json`; keep them for five minutes, and fetch them again
   * when the reason is `unknown_key`. A retry has a new token with the same `id`: handle each id once.
   *
   * @example
   * const result = WebhookSignature.verifyJwt({ alg: 'EdDSA', jwks, subscriptionId, audience, headers: request.headers, body: request.rawBody });
   * if (!result.ok) return reply.code(401).send({ detail: result.reason });
   */
  verifyJwt(input: JwtVerificationInput): JwtVerification {
    return verifyWebhookJwt(input);
  },
} as const;

function signRaw(key: KeyObject, body: RawBody): string {
  return PREFIX + createHmac('sha256', key).update(body).digest('hex');
}

export type { JwtRefusal, JwtVerification, JwtVerificationInput } from './verify-webhook-jwt.js';
export type { JwtAlgorithm } from './signature-scheme.js';
export type { ReceivedHeaders } from './received-headers.js';
export type {
  RawBody,
  StandardRefusal,
  StandardVerification,
  StandardVerificationInput,
} from './standard-signature.js';
