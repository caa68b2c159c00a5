import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { STORED_BODY_BYTES, storedBodyOf } from './response-text.js';

describe('storedBodyOf', () => {
  it('gives valid text back as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const clean = text.replaceAll('\0', '\uFFFD');
        expect(storedBodyOf(Buffer.from(text), true)).toBe(clean);
      }),
    );
  });

  it('never exceeds 4 KiB of UTF-8, holds NUL or half a character', () => {
    const anyBytes = fc.uint8Array({ maxLength: STORED_BODY_BYTES + 10, size: 'max' });
    fc.assert(
      fc.property(anyBytes, fc.boolean(), (bytes, isWhole) => {
        const text = storedBodyOf(Buffer.from(bytes), isWhole);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(STORED_BODY_BYTES);
        expect(text).not.toContain('\0');
        expect(text).not.toMatch(/\p{Cs}/u);
      }),
    );
  });

  it.each([1, 2, 3])('drops a character that the cut at 4 KiB splits after %d bytes', (kept) => {
    const bytes = Buffer.from(`${'a'.repeat(STORED_BODY_BYTES - kept)}😀`);
    expect(storedBodyOf(bytes, true)).toBe('a'.repeat(STORED_BODY_BYTES - kept));
    expect(storedBodyOf(bytes.subarray(0, STORED_BODY_BYTES), false)).toBe(
      'a'.repeat(STORED_BODY_BYTES - kept),
    );
  });

  it('replaces a character that the receiver itself broke off', () => {
    expect(storedBodyOf(Buffer.from([0x61, 0xf0, 0x9f]), true)).toBe('a\uFFFD');
  });

  it('keeps rubbish within the limit although each replaced byte takes three', () => {
    expect(Buffer.byteLength(storedBodyOf(Buffer.alloc(STORED_BODY_BYTES, 0xff), true))).toBe(4095);
  });
});
