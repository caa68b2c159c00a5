import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { newPrivateKey } from '../../../platform/kernel/new-private-key.js';
import { generateSecret } from './generated-secret.js';
import { prepareSigner, WebhookSignature } from './signature.js';
import { anyText } from '../../../../test/support/any-text.js';

const NOW = 1_700_000_000;
const ID = 'msg_1';
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"zebra":1,"alpha":"ñ"}';

const headersOf = (signature: string, timestamp: number | string = NOW, id = ID) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
});
const verifyAtNow = (secret: string | string[], signature: string, body: string | Uint8Array = BODY) =>
  WebhookSignature.verifyStandard({ secret, headers: headersOf(signature), body, nowSeconds: NOW });
const reasonOf = (result: ReturnType<typeof WebhookSignature.verifyStandard>) =>
  result.ok ? 'ok' : result.reason;

/** A fresh pair in the layout of Standard Webhooks: seed then public key, and the public key. */
function makeKeyPair(): { privateKey: string; publicKey: string } {
  const { d, x } = newPrivateKey('ed25519').export({ format: 'jwk' });
  const [seed, raw] = [Buffer.from(d!, 'base64url'), Buffer.from(x!, 'base64url')];
  return {
    privateKey: `whsk_${Buffer.concat([seed, raw]).toString('base64')}`,
    publicKey: `whpk_${raw.toString('base64')}`,
  };
}

/** Secrets as tenants choose them: text, or what we generate. A `whpk_` text is a public key, not a secret. */
const secrets = fc.oneof(
  anyText({ minLength: 8, maxLength: 100 }).filter((text) => !text.startsWith('whpk_')),
  fc
    .uint8Array({ minLength: 24, maxLength: 64 })
    .map((key) => `whsec_${Buffer.from(key).toString('base64')}`),
);
const bodies = fc.oneof(fc.json(), anyText(), fc.uint8Array({ maxLength: 300 }));

function flipBit(bytes: Uint8Array, seed: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const bit = seed % (flipped.length * 8);
  flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
  return flipped;
}

describe('against the standardwebhooks package', () => {
  const seconds = Math.floor(Date.now() / 1000);

  it('verifies what we sign', () => {
    fc.assert(
      fc.property(fc.json(), fc.uuid(), (body, id) => {
        const secret = generateSecret();
        const headers = headersOf(WebhookSignature.signStandard(secret, id, seconds, body), seconds, id);
        new Webhook(secret).verify(body, headers);
        const raw = WebhookSignature.signStandard('plain-secret', id, seconds, body);
        new Webhook('plain-secret', { format: 'raw' }).verify(body, headersOf(raw, seconds, id));
      }),
    );
  });

  it('signs what we verify', () => {
    fc.assert(
      fc.property(fc.json(), fc.uuid(), (body, id) => {
        const secret = generateSecret();
        const headers = headersOf(new Webhook(secret).sign(id, new Date(seconds * 1000), body), seconds, id);
        const result = WebhookSignature.verifyStandard({ secret, headers, body, nowSeconds: seconds });
        expect(result).toEqual({ ok: true, id, timestampSeconds: seconds });
      }),
    );
  });
});

describe('properties', () => {
  it('verifying is the inverse of signing, for text and for the same bytes', () => {
    fc.assert(
      fc.property(secrets, bodies, (secret, body) => {
        const signer = prepareSigner(secret);
        for (const form of [body, Buffer.from(body)]) {
          expect(WebhookSignature.verifyRaw(secret, form, signer.xSignature(body))).toBe(true);
          expect(verifyAtNow(secret, signer.standard(ID, NOW, body), form)).toMatchObject({ ok: true });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a body with any one bit flipped', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (body, seed) => {
        const changed = flipBit(body, seed);
        expect(WebhookSignature.verifyRaw(SECRET, changed, WebhookSignature.sign(SECRET, body))).toBe(false);
        const standard = WebhookSignature.signStandard(SECRET, ID, NOW, body);
        expect(reasonOf(verifyAtNow(SECRET, standard, changed))).toBe('no_matching_signature');
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a secret with any one bit flipped', () => {
    const keys = fc.uint8Array({ minLength: 24, maxLength: 64 });
    fc.assert(
      fc.property(keys, fc.nat(), (key, seed) => {
        const [secret, other] = [key, flipBit(key, seed)].map(
          (k) => `whsec_${Buffer.from(k).toString('base64')}`,
        ) as [string, string];
        expect(WebhookSignature.verifyRaw(other, BODY, WebhookSignature.sign(secret, BODY))).toBe(false);
        expect(reasonOf(verifyAtNow(other, WebhookSignature.signStandard(secret, ID, NOW, BODY)))).toBe(
          'no_matching_signature',
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each(Array.from({ length: 44 }, (_, index) => index))(
    'refuses a v1 signature with a bit of character %i flipped',
    (index) => {
      const signature = WebhookSignature.signStandard(SECRET, ID, NOW, BODY);
      for (let bit = 0; bit < 8; bit++) {
        const code = signature.charCodeAt(3 + index) ^ (1 << bit);
        const changed =
          signature.slice(0, 3 + index) + String.fromCharCode(code) + signature.slice(4 + index);
        expect(verifyAtNow(SECRET, changed).ok).toBe(false);
      }
    },
  );

  it('refuses an X-Signature with any one bit of its MAC flipped', () => {
    const mac = Buffer.from(WebhookSignature.sign(SECRET, BODY).slice('sha256='.length), 'hex');
    for (let bit = 0; bit < mac.length * 8; bit++) {
      const changed = Buffer.from(flipBit(mac, bit)).toString('hex');
      expect(WebhookSignature.verifyRaw(SECRET, BODY, `sha256=${changed}`)).toBe(false);
    }
  });

  it('refuses a v1a signature with any one bit flipped', () => {
    const { privateKey, publicKey } = makeKeyPair();
    const bytes = Buffer.from(
      WebhookSignature.signStandardAsymmetric(privateKey, ID, NOW, BODY).slice(4),
      'base64',
    );
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(flipBit(bytes, bit)).toString('base64');
      expect(reasonOf(verifyAtNow(publicKey, `v1a,${changed}`))).toBe('no_matching_signature');
    }
  });

  it('refuses garbage of any type without throwing', () => {
    const loose = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.stringMatching(/^(sha256=|v1,|v1a,|whpk_|whsk_|whsec_)[A-Za-z0-9+/=]{0,90}$/),
    );
    fc.assert(
      fc.property(loose, loose, loose, loose, loose, (secret, body, id, timestamp, signature) => {
        expect(WebhookSignature.verifyRaw(secret as string, body as string, signature as string)).toBe(false);
        const named = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
        for (const headers of [
          named,
          { ...named, 'webhook-id': ID, 'webhook-timestamp': String(NOW) },
          secret,
        ]) {
          const input = { secret, headers, body, nowSeconds: NOW } as Parameters<
            typeof WebhookSignature.verifyStandard
          >[0];
          expect(WebhookSignature.verifyStandard(input).ok).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
