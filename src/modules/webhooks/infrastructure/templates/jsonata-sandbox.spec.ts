import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TemplateInput } from '../../domain/preset-body.js';
import { JsonataSandbox } from './jsonata-sandbox.js';

const INPUT: TemplateInput = {
  ...{ tenantId: 'acme', eventId: '01900000-0000-7000-8000-000000000001', event: 'invoice.paid' },
  payload: '{"total":12.5,"lines":[{"q":1},{"q":2}],"name":"ñ"}',
};

describe('JsonataSandbox', () => {
  const sandbox = new JsonataSandbox();
  const run = (expression: string): ReturnType<JsonataSandbox['run']> => sandbox.run(expression, INPUT);

  // The first thread starts here, so that no test pays for it.
  beforeAll(async () => {
    await sandbox.check('$');
  }, 60_000);
  afterAll(async () => sandbox.close());

  it.each([
    ['{"sum": $sum(lines.q), "name": name}', '{"sum":3,"name":"ñ"}'],
    ['lines.{"q": q * 2}', '[{"q":2},{"q":4}]'],
    [
      '{"type": $event.type, "at": $event.timestamp}',
      '{"type":"invoice.paid","at":"2024-06-10T02:35:18.400Z"}',
    ],
    [
      '{"a": $now(), "b": $millis(), "c": $now("[Y]")}',
      '{"a":"2024-06-10T02:35:18.400Z","b":1717986918400,"c":"2024"}',
    ],
  ])('makes of %s the same every time', async (expression, text) => {
    expect(await sandbox.check(expression)).toBeNull();
    for (let n = 0; n < 2; n += 1) expect(await run(expression)).toEqual({ kind: 'made', text });
  });

  it.each([
    ['{"a":', /at 5$/],
    ['$match(name, /a+/)', /regular expressions are not allowed at/],
    ['$eval("1")', /\$eval is not allowed at/],
    ['($e := $eval; $e("1"))', /\$eval is not allowed at/],
    ['{"n": $random()}', /\$random is not allowed at/],
  ])('refuses %s', async (expression, why) => {
    expect(await sandbox.check(expression)).toMatch(why);
    expect(await run(expression)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(why) });
  });

  it.each([
    ['missing', /must be an object or an array, not nothing/],
    ['total', /must be an object or an array, not number/],
    ['$error("no")', /no/],
    ['name + 1', /at \d+$/],
    ['{"a": $pad("", 1100000)}', /more than 1048576 bytes/],
  ])('fails with a reason at %s', async (expression, why) => {
    expect(await run(expression)).toMatchObject({ kind: 'failed', reason: expect.stringMatching(why) });
  });

  // Red without the thread: each of these stops the process, or takes all of its memory.
  it.each([
    '($f := function($n) { $f($n + 1) }; {"a": $f(0)})',
    '($f := function($n) { $n > 1e9 ? $n : $f($n + 1) }; {"a": $f(0)})',
    '{"a": $count([1..9999999].[1..9999999])}',
    '($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; {"a": $length($d("0123456789", 40))})',
    '{"a": $pad("", 900000000)}',
  ])(
    'ends %s, and goes on with the next',
    async (expression) => {
      const { kind } = await run(expression);
      expect(['exhausted', 'failed']).toContain(kind);
      expect(await run('{"n": total}')).toEqual({ kind: 'made', text: '{"n":12.5}' });
    },
    60_000,
  );

  it.each([
    '{"a": $event.constructor.constructor("return process")().env}',
    '{"a": lines.constructor}',
    '{"a": __proto__.constructor}',
    '{"a": $now.constructor}',
  ])('gives %s nothing of the process', async (expression) => {
    const made = await run(expression);
    expect(made).not.toMatchObject({ text: expect.stringMatching(/PATH|function|process/) });
  });

  it('says when there is no room, instead of making a longer line', async () => {
    const runs = await Promise.all(Array.from({ length: 40 }, () => run('{"n": total}')));
    const kinds = runs.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['made', 'busy']));
    expect(kinds.filter((kind) => kind === 'made').length).toBeGreaterThanOrEqual(16);
  });
});
