import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from '@jest/globals';
import { transform } from 'esbuild';

const script = pathToFileURL(join(import.meta.dirname, '../../scripts/one-byte-text.mjs')).href;
const { oneByteText } = (await import(script)) as { oneByteText: (text: string) => string };

/** What packages have in their comments, strings, templates and patterns. */
const MODULE = `
class Range {
  /** From – to; \u{1f600}. */
  text = '1 – 5 é \u{1f600}';
  template = \`… \${1} —\`;
  pattern = /[–—]/.test('–');
}
const made = new Range();
`;

describe('oneByteText', () => {
  it('leaves no character that would have the whole text kept in two bytes each', async () => {
    const { code } = await transform(MODULE, { target: 'node20' });
    // Red when esbuild leaves out comments: then there is nothing to do any more.
    expect(code).toMatch(/[\u0100-\uffff]/);
    expect(oneByteText(code)).not.toMatch(/[\u0080-\uffff]/);
    expect(oneByteText(code).split('\n')).toHaveLength(code.split('\n').length);
  });

  it('leaves what the program does as it was', async () => {
    const { code } = await transform(MODULE, { target: 'node20' });
    const run = (text: string): unknown =>
      JSON.parse(runInNewContext(`${text}; JSON.stringify(made)`) as string);
    const expected = { text: '1 – 5 é \u{1f600}', template: '… 1 —', pattern: true };
    expect(run(code)).toEqual(expected);
    expect(run(oneByteText(code))).toEqual(expected);
  });
});
