import { createHmac, sign, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { headerOf, type ReceivedHeaders } from './received-headers.js';
import { decodeExactly, ed25519PublicKey, isPublicKeyText, standardKey } from './signing-key.js';

/** The exact bytes of a request's body, or the text whose UTF-8 they are. Never a parsed object. */
export type RawBody = string | Uint8Array;

export interface StandardVerificationInput {
  /** The subscription's secret, or all that are valid while one is being replaced; `whpk_` keys verify `v1a`. */
  readonly secret: string | readonly string[];
  readonly headers: ReceivedHeaders;
  readonly body: RawBody;
  /** How far `webhook-timestamp` may be from now, either way, in seconds. Default 300. */
  readonly toleranceSeconds?: number;
  /** The time to compare with, in seconds since the epoch. Default: the system clock. */
  readonly nowSeconds?: number;
}

export type StandardRefusal =
  | 'missing_header'
  | 'malformed_header'
  | 'timestamp_out_of_tolerance'
  | 'body_not_raw'
  | 'no_usable_secret'
  | 'no_matching_signature';

export type StandardVerification =
  | { readonly ok: true; readonly id: string; readonly timestampSeconds: number }
  /** `reason` is stable, `message` is for a log; neither holds secret material. */
  | { readonly ok: false; readonly reason: StandardRefusal; readonly message: string };

/** Five minutes, as in the Standard Webhooks libraries: long enough for skewed clocks, short for a replay. */
const DEFAULT_TOLERANCE_SECONDS = 300;
/** Header-safe ASCII without `.`: the signed text is `id.timestamp.body`, which a dot would make ambiguous. */
const ID = /^[!-\-/-~]{1,255}$/;
/** Eleven digits of seconds reach the year 5138; a value in milliseconds has thirteen and is caught. */
const TIMESTAMP = /^(?:0|[1-9]\d{0,10})$/;
const MAX_TIMESTAMP_SECONDS = 99_999_999_999;
const SHA256_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
/** A sender that rotates lists two or three. Each `v1a` costs a curve operation, so a crafted header must not list hundreds. */
const MAX_SIGNATURES = 16;

/** `v1,<base64>`. @throws RangeError for an id or a timestamp that no receiver could verify. */
export function signV1(key: KeyObject, id: string, timestampSeconds: number, body: RawBody): string {
  const digest = createHmac('sha256', key)
    .update(signedHead(id, timestampSeconds))
    .update(body)
    .digest('base64');
  return `v1,${digest}`;
}

/** `v1a,<base64>` with an ed25519 key. @throws RangeError for a bad id or timestamp. */
export function signV1a(key: KeyObject, id: string, timestampSeconds: number, body: RawBody): string {
  const content = Buffer.concat([Buffer.from(signedHead(id, timestampSeconds)), Buffer.from(body)]);
  return `v1a,${sign(null, content, key).toString('base64')}`;
}

/** See `WebhookSignature.verifyStandard`. */
export function verifyStandard(input: StandardVerificationInput): StandardVerification {
  const { body, headers, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS } = input;
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  for (const [name, value] of Object.entries({ id, timestamp, signature: signatures })) {
    if (value === '') return refuse('missing_header', `Header webhook-${name} is missing`);
  }
  if (!ID.test(id))
    return refuse('malformed_header', 'Header webhook-id is not an id: visible ASCII without a dot');
  if (!TIMESTAMP.test(timestamp)) {
    return refuse(
      'malformed_header',
      'Header webhook-timestamp is not a time in whole seconds since the epoch',
    );
  }
  const timestampSeconds = Number(timestamp);
  const nowSeconds = input.nowSeconds ?? Math.floor(Date.now() / 1000);
  const offBySeconds = Math.abs(nowSeconds - timestampSeconds);
  // Written so that NaN, from a misconfigured tolerance or clock, is refused as well.
  if (!(offBySeconds <= toleranceSeconds)) {
    const side = nowSeconds > timestampSeconds ? 'behind' : 'ahead of';
    return refuse(
      'timestamp_out_of_tolerance',
      `Header webhook-timestamp is ${offBySeconds} s ${side} this clock; ${toleranceSeconds} s are allowed`,
    );
  }
  if (!isRawBody(body)) {
    return refuse('body_not_raw', 'The body must be the text or bytes as received, before any JSON parsing');
  }
  const secrets = usableSecrets(input.secret);
  if (secrets.length === 0)
    return refuse('no_usable_secret', 'No secret to verify with: it is empty or a malformed whpk_ key');
  const head = signedHead(id, timestampSeconds);
  const candidates = signatures.split(' ', MAX_SIGNATURES);
  if (secrets.some((secret) => matches(secret, head, body, candidates)))
    return { ok: true, id, timestampSeconds };
  return refuse(
    'no_matching_signature',
    'No signature in webhook-signature fits: the secret differs or the body was changed',
  );
}

/** Whether a value can be what came over the wire; a parsed object cannot. */
export function isRawBody(body: unknown): body is RawBody {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function matches(secret: string, head: string, body: RawBody, candidates: readonly string[]): boolean {
  const publicKey = ed25519PublicKey(secret);
  if (publicKey !== null) {
    const content = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
    return listed(candidates, 'v1a,', ED25519_SIGNATURE_BYTES).some((given) =>
      verify(null, content, publicKey, given),
    );
  }
  const expected = createHmac('sha256', standardKey(secret)).update(head).update(body).digest();
  return listed(candidates, 'v1,', SHA256_BYTES).some((given) => timingSafeEqual(given, expected));
}

/** The well-formed signatures of one version; other versions are for other receivers and ignored. */
function listed(candidates: readonly string[], version: string, bytes: number): Buffer[] {
  return candidates.flatMap((candidate) => {
    const decoded = candidate.startsWith(version)
      ? decodeExactly(candidate.slice(version.length), bytes)
      : null;
    return decoded === null ? [] : [decoded];
  });
}

function signedHead(id: string, timestampSeconds: number): string {
  if (!ID.test(id)) throw new RangeError('A webhook id must be 1-255 visible ASCII characters without a dot');
  if (
    !Number.isInteger(timestampSeconds) ||
    timestampSeconds < 0 ||
    timestampSeconds > MAX_TIMESTAMP_SECONDS
  ) {
    throw new RangeError(
      `A webhook timestamp must be whole seconds since the epoch, not ${timestampSeconds}`,
    );
  }
  return `${id}.${timestampSeconds}.`;
}

function usableSecrets(given: unknown): string[] {
  const all: unknown[] = Array.isArray(given) ? given : [given];
  return all.filter(
    (secret): secret is string =>
      typeof secret === 'string' &&
      secret !== '' &&
      (!isPublicKeyText(secret) || ed25519PublicKey(secret) !== null),
  );
}

function refuse(reason: StandardRefusal, message: string): StandardVerification {
  return { ok: false, reason, message };
}
