import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { prepareSigner, WebhookSignature } from './signature.js';

interface Corpus {
  x_signature: { secret: string; body: string; hex: string; origin: string }[];
  standard_webhooks: {
    secret?: string;
    private_key?: string;
    public_key?: string;
    id: string;
    timestamp: number;
    body: string;
    signature: string;
    origin: string;
  }[];
}

const corpusUrl = new URL('../../../../test/corpus/signatures.json', import.meta.url);
const corpus = JSON.parse(readFileSync(corpusUrl, 'utf8')) as Corpus;
const hmacVectors = corpus.standard_webhooks.filter((vector) => vector.secret !== undefined);
const ed25519Vectors = corpus.standard_webhooks.filter((vector) => vector.private_key !== undefined);

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

describe('corpus', () => {
  it('has vectors of every kind, so that the tables below are not empty', () => {
    expect([corpus.x_signature.length, hmacVectors.length, ed25519Vectors.length].every((n) => n > 0)).toBe(
      true,
    );
  });

  it.each(corpus.x_signature)('X-Signature: $origin', ({ secret, body, hex }) => {
    expect(WebhookSignature.sign(secret, body)).toBe(`sha256=${hex}`);
    expect(prepareSigner(secret).xSignature(Buffer.from(body))).toBe(`sha256=${hex}`);
    expect(WebhookSignature.verifyRaw(secret, body, `sha256=${hex}`)).toBe(true);
  });

  it.each(hmacVectors)('v1: $origin', ({ secret, id, timestamp, body, signature }) => {
    expect(WebhookSignature.signStandard(secret!, id, timestamp, body)).toBe(signature);
    const headers = headersOf(signature, timestamp, id);
    const result = WebhookSignature.verifyStandard({ secret: secret!, headers, body, nowSeconds: timestamp });
    expect(result).toEqual({ ok: true, id, timestampSeconds: timestamp });
  });

  it.each(ed25519Vectors)('v1a: $origin', (vector) => {
    const { id, timestamp, body, signature } = vector;
    expect(WebhookSignature.signStandardAsymmetric(vector.private_key!, id, timestamp, body)).toBe(signature);
    const input = {
      secret: vector.public_key!,
      headers: headersOf(signature, timestamp, id),
      nowSeconds: timestamp,
    };
    expect(WebhookSignature.verifyStandard({ ...input, body })).toMatchObject({ ok: true });
    expect(reasonOf(WebhookSignature.verifyStandard({ ...input, body: `${body} ` }))).toBe(
      'no_matching_signature',
    );
  });
});

describe('verifyRaw', () => {
  const signature = WebhookSignature.sign(SECRET, BODY);

  it('takes text and bytes, the hex in either case, with and without the prefix', () => {
    const hex = signature.slice('sha256='.length);
    for (const given of [signature, hex, `sha256=${hex.toUpperCase()}`]) {
      expect(WebhookSignature.verifyRaw(SECRET, BODY, given)).toBe(true);
      expect(WebhookSignature.verifyRaw(SECRET, Buffer.from(BODY), given)).toBe(true);
    }
  });

  it.each([
    ['cut short', signature.slice(0, -1)],
    ['one digit too many', `${signature}0`],
    ['a line break at the end', `${signature}\n`],
    ['another algorithm', signature.replace('sha256', 'sha512')],
    [
      'a look-alike letter whose low byte is the right one',
      signature.replace(/[a-f]/, (c) => String.fromCharCode(c.charCodeAt(0) + 256)),
    ],
    ['the prefix twice', `sha256=${signature}`],
    ['empty', ''],
  ])('refuses a signature that is %s', (_what, given) => {
    expect(WebhookSignature.verifyRaw(SECRET, BODY, given)).toBe(false);
  });

  it.each([JSON.parse(BODY), undefined, null, 5])(
    'refuses the body %j, which was parsed or never read',
    (body) => {
      expect(WebhookSignature.verifyRaw(SECRET, body, signature)).toBe(false);
    },
  );

  it('takes the headers of a request, in any case and as a Headers object', () => {
    expect(WebhookSignature.verifyRaw(SECRET, BODY, { 'x-signature': signature })).toBe(true);
    expect(WebhookSignature.verifyRaw(SECRET, BODY, { 'X-Signature': signature })).toBe(true);
    expect(WebhookSignature.verifyRaw(SECRET, BODY, new Headers({ 'X-Signature': signature }))).toBe(true);
  });

  it('accepts either secret while a rotation overlaps, and a third one never', () => {
    const headers = {
      'x-signature': WebhookSignature.sign('the-new-secret', BODY),
      'x-signature-previous': signature,
    };
    const verifies = (secret: string): boolean => WebhookSignature.verifyRaw(secret, BODY, headers);
    expect([SECRET, 'the-new-secret', 'a-third-secret'].map(verifies)).toEqual([true, true, false]);
  });

  it.each([
    ['no header', {}],
    ['a header of another name', { 'x-signature-next': signature }],
    ['headers of nonsense', { 'x-signature': 'é', 'x-signature-previous': '' }],
    ['a header that came twice', { 'x-signature': [signature, signature] }],
    ['a list in place of the headers', [signature]],
    ['nothing', undefined],
    ['null', null as unknown as undefined],
  ])('refuses %s', (_what, given) => {
    expect(WebhookSignature.verifyRaw(SECRET, BODY, given)).toBe(false);
  });

  it('refuses everything when the secret is empty, even what was signed with the empty key', () => {
    const forged = `sha256=${createHmac('sha256', '').update(BODY).digest('hex')}`;
    expect(WebhookSignature.verifyRaw('', BODY, forged)).toBe(false);
    expect(() => WebhookSignature.sign('', BODY)).toThrow('The secret is empty');
  });
});

describe('verifyStandard', () => {
  const signature = WebhookSignature.signStandard(SECRET, ID, NOW, BODY);

  it('finds the headers in any case, in lists and in a Headers object', () => {
    const input = { secret: SECRET, body: BODY, nowSeconds: NOW };
    const shouted = Object.fromEntries(
      Object.entries(headersOf(signature)).map(([name, value]) => [name.toUpperCase(), [value]]),
    );
    expect(WebhookSignature.verifyStandard({ ...input, headers: shouted })).toMatchObject({ ok: true });
    expect(
      WebhookSignature.verifyStandard({ ...input, headers: new Headers(headersOf(signature)) }),
    ).toMatchObject({ ok: true });
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('names %s when it is missing', (name) => {
    const headers = { ...headersOf(signature), [name]: undefined };
    const result = WebhookSignature.verifyStandard({ secret: SECRET, headers, body: BODY, nowSeconds: NOW });
    expect(result).toEqual({ ok: false, reason: 'missing_header', message: `Header ${name} is missing` });
  });

  it('accepts a timestamp up to the tolerance, either way, and not one second beyond', () => {
    const at = (nowSeconds: number, toleranceSeconds?: number) =>
      reasonOf(
        WebhookSignature.verifyStandard({
          secret: SECRET,
          headers: headersOf(signature),
          body: BODY,
          nowSeconds,
          ...(toleranceSeconds === undefined ? {} : { toleranceSeconds }),
        }),
      );
    expect([at(NOW + 300), at(NOW - 300), at(NOW + 10, 10)]).toEqual(['ok', 'ok', 'ok']);
    for (const refused of [at(NOW + 301), at(NOW - 301), at(NOW + 11, 10), at(NOW, NaN), at(NaN)]) {
      expect(refused).toBe('timestamp_out_of_tolerance');
    }
  });

  it('says by how much and in which direction the timestamp is off', () => {
    const late = WebhookSignature.verifyStandard({
      secret: SECRET,
      headers: headersOf(signature),
      body: BODY,
      nowSeconds: NOW + 400,
    });
    expect(late).toMatchObject({
      message: 'Header webhook-timestamp is 400 s behind this clock; 300 s are allowed',
    });
  });

  it('uses the system clock when no time is given', () => {
    const seconds = Math.floor(Date.now() / 1000);
    const headers = headersOf(WebhookSignature.signStandard(SECRET, ID, seconds, BODY), seconds);
    expect(WebhookSignature.verifyStandard({ secret: SECRET, headers, body: BODY })).toMatchObject({
      ok: true,
    });
    const old = WebhookSignature.verifyStandard({
      secret: SECRET,
      headers: headersOf(signature),
      body: BODY,
    });
    expect(reasonOf(old)).toBe('timestamp_out_of_tolerance');
  });

  it.each(['1.7e9', ' 1700000000', '01700000000', '+1700000000', '1700000000000', '1700000000.0', 'NaN'])(
    'does not take %j for a timestamp',
    (timestamp) => {
      const headers = headersOf(signature, timestamp);
      expect(
        reasonOf(WebhookSignature.verifyStandard({ secret: SECRET, headers, body: BODY, nowSeconds: NOW })),
      ).toBe('malformed_header');
    },
  );

  it('does not let the dots of the signed text be moved from the body into the id', () => {
    const body = `${NOW}.rest`;
    const signed = WebhookSignature.signStandard(SECRET, ID, 5, body);
    const headers = headersOf(signed, NOW, `${ID}.5`);
    expect(
      reasonOf(WebhookSignature.verifyStandard({ secret: SECRET, headers, body: 'rest', nowSeconds: NOW })),
    ).toBe('malformed_header');
  });

  it('tries several signatures and several secrets, and ignores versions that it does not know', () => {
    const other = WebhookSignature.signStandard('another-secret', ID, NOW, BODY);
    expect(verifyAtNow(SECRET, `v9,abc ${other} ${signature}`)).toMatchObject({ ok: true });
    expect(verifyAtNow(['new-secret-1', SECRET], signature)).toMatchObject({ ok: true });
    expect(reasonOf(verifyAtNow(SECRET, signature.replace('v1,', 'v2,')))).toBe('no_matching_signature');
    expect(reasonOf(verifyAtNow(['new-secret-1', 'new-secret-2'], signature))).toBe('no_matching_signature');
  });

  it('looks at the first 16 signatures only, so that a crafted header costs little', () => {
    const others = (count: number) => Array.from({ length: count }, () => 'v1a,x').join(' ');
    expect(verifyAtNow(SECRET, `${others(15)} ${signature}`)).toMatchObject({ ok: true });
    expect(reasonOf(verifyAtNow(SECRET, `${others(16)} ${signature}`))).toBe('no_matching_signature');
  });

  it('says that a parsed body cannot be verified', () => {
    expect(reasonOf(verifyAtNow(SECRET, signature, JSON.parse(BODY)))).toBe('body_not_raw');
  });

  it('never uses a public key as an HMAC secret, well-formed or not', () => {
    const publicKey = ed25519Vectors[0]!.public_key!;
    expect(reasonOf(verifyAtNow(publicKey, WebhookSignature.signStandard(publicKey, ID, NOW, BODY)))).toBe(
      'no_matching_signature',
    );
    expect(
      reasonOf(verifyAtNow('whpk_oops', WebhookSignature.signStandard('whpk_oops', ID, NOW, BODY))),
    ).toBe('no_usable_secret');
    expect(reasonOf(verifyAtNow(['', 'whpk_oops'], signature))).toBe('no_usable_secret');
  });
});

describe('keys', () => {
  const keyText = Buffer.from('0123456789abcdef01234567').toString('base64');
  const same = (a: string, b: string) =>
    WebhookSignature.signStandard(a, ID, NOW, BODY) === WebhookSignature.signStandard(b, ID, NOW, BODY);

  it('decodes a whsec_ secret, also without its padding', () => {
    expect(same(`whsec_${keyText}`, '0123456789abcdef01234567')).toBe(true);
    expect(same('whsec_YWJjZGVmZ2g=', 'abcdefgh')).toBe(true);
    expect(same('whsec_YWJjZGVmZ2g', 'abcdefgh')).toBe(true);
  });

  it.each([
    'whsec_!!!!!!!!',
    'whsec_',
    'whsec_a',
    'whsec_YWJj ZGVm',
    'whsec_YWJjZA=',
    'whsec_YW=jZGVm',
    'whsec_a-b_c-d_',
  ])('uses all bytes of %j, which is not base64, instead of a key that others can guess', (secret) => {
    const expected = createHmac('sha256', secret).update(`${ID}.${NOW}.${BODY}`).digest('base64');
    expect(WebhookSignature.signStandard(secret, ID, NOW, BODY)).toBe(`v1,${expected}`);
    expect(verifyAtNow(secret, `v1,${expected}`)).toMatchObject({ ok: true });
  });

  it.each([
    [
      'another prefix',
      'whsec_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
    ],
    [
      'a public prefix',
      'whpk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
    ],
    ['too few bytes', 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc='],
    ['a public half of another seed', `whsk_${Buffer.alloc(64, 7).toString('base64')}`],
  ])('refuses to sign with a private key of %s', (_what, key) => {
    expect(() => WebhookSignature.signStandardAsymmetric(key, ID, NOW, BODY)).toThrow(/whsk_/);
  });

  it.each(['', 'a.b', 'a b', 'a\n', 'ä'])('refuses to sign the id %j', (id) => {
    expect(() => WebhookSignature.signStandard(SECRET, id, NOW, BODY)).toThrow('webhook id');
  });

  it.each([1.5, -1, NaN, 1_700_000_000_000])('refuses to sign the timestamp %d', (timestamp) => {
    expect(() => WebhookSignature.signStandard(SECRET, ID, timestamp, BODY)).toThrow('whole seconds');
  });

  it('does not show the secret when a prepared signer is printed', () => {
    const signer = prepareSigner('a-secret-to-find');
    expect(inspect(signer, { depth: 9, showHidden: true }) + JSON.stringify(signer)).not.toContain(
      'a-secret-to-find',
    );
  });
});
