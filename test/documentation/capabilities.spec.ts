import { expect, it } from '@jest/globals';

import { readDocument, tableOf } from './markdown.js';

const ROWS = tableOf(readDocument('docs/capabilities.md'));
const WHOLE_SERVICE = readDocument('test/e2e/service/whole-service.ts');

/** Red when a test that it names is renamed or removed, or runs in one way of delivering alone. */
it.each(ROWS)(
  'docs/capabilities.md: %s is tried in both ways by %s',
  (_capability, cell = '', tests = '') => {
    const file = cell.replaceAll('`', '');
    const isShared = file.startsWith('e2e/service/');
    const text = readDocument(`test/${file}${isShared ? '' : '.spec'}.ts`);

    const titles = [...tests.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title);
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !beginsIn(text, title))).toEqual([]);
    if (isShared) expect(WHOLE_SERVICE).toContain(`from './${file.slice('e2e/service/'.length)}.js'`);
    else expect(text).toContain(`describe.each(['inline', 'redis'] as const)`);
  },
);

/** Every file of suites that run on each combination has a row. */
it('docs/capabilities.md: leaves out no suite of the whole service', () => {
  const suites = [...WHOLE_SERVICE.matchAll(/from '\.\/([\w-]+)\.js'/g)].map(([, name = '']) => name);
  const named = new Set(ROWS.map(([, cell = '']) => cell.replaceAll('`', '')));

  expect(suites.filter((name) => !named.has(`e2e/service/${name}`))).toEqual([]);
});

function beginsIn(text: string, title: string): boolean {
  return [`'`, '`', '"'].some((quote) => text.includes(quote + title));
}
