import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, it } from '@jest/globals';

const ROOT = new URL('../../../', import.meta.url);
const QUOTE = /<!-- from (\S+) -->\s*```ts\n(.*?)```/gs;

function read(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8');
}

/** Line by line without indentation: a quotation stands further left than the code. */
function lines(text: string): string {
  return text.replace(/^ +/gm, '').trim();
}

const quotes = [...read('docs/emit-from-your-module.md').matchAll(QUOTE)].map(
  ([, path = '', code = '']) => [path, code] as const,
);

it('finds the quotations', () => {
  expect(quotes).toHaveLength(2);
});

it.each(quotes)('docs/emit-from-your-module.md quotes %s as it is', (path, code) => {
  expect(lines(read(path))).toContain(lines(code));
});
