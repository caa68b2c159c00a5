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

const quotes = ['ARCHITECTURE.md', 'docs/emit-from-your-module.md'].flatMap((page) =>
  [...read(page).matchAll(QUOTE)].map(([, path = '', code = '']) => [page, path, code] as const),
);

it('finds the quotations, a use case on either page', () => {
  expect(quotes).toHaveLength(4);
  const pages = quotes.filter(([, path]) => path.endsWith('/change-invoice-state.ts')).map(([page]) => page);
  expect(pages).toEqual(['ARCHITECTURE.md', 'docs/emit-from-your-module.md']);
});

it.each(quotes)('%s quotes %s as it is', (_page, path, code) => {
  expect(lines(read(path))).toContain(lines(code));
});
