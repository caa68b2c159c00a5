import { describe, expect, it } from '@jest/globals';

import { echoesOf, KEPT_HEADERS_BYTES, keptHeaders, withoutEchoes } from './kept-answer.js';

const sizeOf = (headers: Readonly<Record<string, string>>): number =>
  Buffer.byteLength(JSON.stringify(headers));

describe('what is kept of an answer', () => {
  it('is its headers as they came, several of a name in one', () => {
    const headers = { 'content-type': 'text/plain', via: ['a', 'b'], gone: undefined };
    expect(keptHeaders(headers, [])).toEqual({ 'content-type': 'text/plain', via: 'a, b' });
  });

  it.each(['set-cookie', 'x-api-key', 'x-csrf-token', 'client-secret', 'authorization'])(
    'is not the value of %s, which gives access to something',
    (name) => {
      expect(keptHeaders({ [name]: 'abcdef', server: 'x' }, [])).toEqual({ [name]: '***', server: 'x' });
    },
  );

  it('is nothing of a secret that was sent back, with or without its scheme', () => {
    const secrets = echoesOf('Bearer s3cret-of-a-tenant');
    expect(keptHeaders({ 'x-got': 'it was s3cret-of-a-tenant!' }, secrets)).toEqual({
      'x-got': 'it was ***!',
    });
    expect(withoutEchoes('{"authorization":"Bearer s3cret-of-a-tenant"}', secrets)).toBe(
      '{"authorization":"***"}',
    );
    // What is in every text is no secret.
    expect(echoesOf('1')).toEqual([]);
  });

  it.each([
    ['one long value', { 'x-long': 'v'.repeat(100_000), server: 'x' }],
    ['many', Object.fromEntries(Array.from({ length: 500 }, (_one, n) => [`x-${n}`, 'value']))],
    ['quotation marks', { 'x-quoted': '"'.repeat(3_000) }],
    ['letters of two bytes', { 'x-latin': 'ñ'.repeat(3_000) }],
    ['a long name', { ['x'.repeat(4_000)]: 'v', server: 'x' }],
    ['exactly what fits', { a: 'v'.repeat(KEPT_HEADERS_BYTES - 9) }],
  ])('takes at most 2 KiB: %s', (_what, headers) => {
    const kept = keptHeaders(headers, []);
    expect(sizeOf(kept)).toBeLessThanOrEqual(KEPT_HEADERS_BYTES);
    expect(Object.keys(kept).length).toBeGreaterThan(0);
  });

  it('says what was cut, and uses the room that there is', () => {
    const kept = keptHeaders({ a: 'v'.repeat(KEPT_HEADERS_BYTES), b: '1' }, []);
    expect(kept['a']).toMatch(/^v{1000,}…$/);
    expect(keptHeaders({ a: 'v'.repeat(KEPT_HEADERS_BYTES - 9) }, [])['a']).not.toContain('…');
  });

  it('takes no name for a word of the language', () => {
    const headers = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    expect(JSON.stringify(keptHeaders(headers, []))).toBe('{"__proto__":"x","constructor":"y"}');
  });
});
