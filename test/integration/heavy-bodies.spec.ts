import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../support/api-client.js';
import { cpuMs, LoopWatch } from '../support/loop-watch.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';

const LIMIT_BYTES = 1_048_576;
const KEYS = 115_000;

/** As many of one piece as fit into a body, with room for what is around them. */
const filled = (piece: string, separator = ','): string =>
  Array.from(
    { length: Math.floor((LIMIT_BYTES - 200) / (piece.length + separator.length)) },
    () => piece,
  ).join(separator);

/** Short names, all different: `"2s1":1`. */
const shortKeys = Array.from({ length: KEYS }, (_, n) => `"${(n + 1_296).toString(36)}":1`).join(',');
/** As many names as fit: more than a function can be given as arguments. */
const mostKeys = Array.from({ length: 130_000 }, (_, n) => `"${threeLetters(n)}":1`).join(',');
const payload = (text: string): string => `{"event":"heavy.made","payload":${text}}`;

function threeLetters(n: number): string {
  return [n % 51, Math.floor(n / 51) % 51, Math.floor(n / 2_601)]
    .map((digit) => String.fromCharCode(0x40 + digit).replace('\\', '~'))
    .join('');
}

const BODIES: Readonly<Record<string, readonly [status: number, body: string, path?: string]>> = {
  'a payload of short keys': [202, payload(`{${shortKeys}}`)],
  'short keys that no route knows': [400, `{"event":"heavy.made","payload":{},${shortKeys}}`],
  'a payload of small arrays': [202, payload(`{"a":[${filled('[1]')}]}`)],
  'a payload of strings with escapes': [202, payload(`{"a":[${filled('"\\n"')}]}`)],
  'a payload of spaces': [202, payload(`{"a":[${filled('1  ')}]}`)],
  'arrays as deep as they may be, that never close': [400, payload(`{"a":[${filled('[[1]]')}`)],
  'short keys in a setting': [400, `{"rate_limit":{${mostKeys}}}`, '/subscriptions'],
  'no JSON at all': [400, filled('x', ' ')],
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    return cause;
  }
}

describeWithPostgres('a body as heavy as it may be', () => {
  let app: RestApp;
  let client: ApiClient;
  let watch: LoopWatch;

  beforeAll(async () => {
    app = await startRestApp();
    client = await app.clientOf('heavy');
    await client.post('/subscriptions', { event: 'heavy.made', url: 'https://hooks.customer.com/heavy' });
    // What is compiled for bodies as they usually are can cost more for others than what is not compiled yet.
    for (const n of [50, 50, 25_000, 25_000]) {
      await client.post('/deliveries', payload(`{"a":[${Array(n).fill('[1]').join(',')}]}`));
    }
    watch = new LoopWatch();
  }, 180_000);

  afterAll(async () => {
    watch?.stop();
    await app?.close();
  });

  /** The least of some: what else the process does meanwhile (compiling, collecting garbage) is not what is asked. */
  async function leastOf(times: number, measure: () => Promise<number> | number): Promise<number> {
    const results: number[] = [];
    for (let n = 0; n < times; n += 1) results.push(await measure());
    return Math.min(...results);
  }

  // Red when anything behind the parser walks through the payload, copies it, or looks its names up one by one: the
  // factor was 40 to 300 then, and is below 10. The floor is for bodies that JSON.parse reads in no time.
  it.each(Object.entries(BODIES))(
    '%s costs little more than reading it as JSON does',
    async (_, [status, body, path = '/deliveries']) => {
      expect(Buffer.byteLength(body)).toBeLessThan(LIMIT_BYTES);
      const readingMs = await leastOf(2, () => cpuMs(() => parsed(body)));
      const longestMs = await leastOf(2, async () => {
        watch.take();
        const answer = await client.post(path, body);
        const longest = watch.take();
        expect({ status: answer.status, text: answer.text.slice(0, 200) }).toMatchObject({ status });
        expect(answer.text.length).toBeLessThan(16_384);
        return longest;
      });
      expect(longestMs).toBeLessThan(Math.max(1_200, 30 * readingMs));
    },
    240_000,
  );

  it('lists 50 problems at most, those of known fields first, and long names in part', async () => {
    const extra = Array.from({ length: 60 }, (_, n) => `"${String(n).padStart(300, 'x')}":1`).join(',');
    const { status, body } = await client.post<{ detail: { type: string; loc: string[] }[] }>(
      '/deliveries',
      `{${extra},"event":7}`,
    );
    expect(status).toBe(400);
    expect(body.detail).toHaveLength(50);
    expect(body.detail.slice(0, 3).map(({ type, loc }) => [type, loc[1]!.length])).toEqual([
      ['value_error', 5],
      ['missing', 7],
      ['extra_forbidden', 101],
    ]);
  });
});
