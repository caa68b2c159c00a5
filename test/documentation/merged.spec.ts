import { expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { readDocument } from './markdown.js';

const ROOT = join(import.meta.dirname, '../..');

function documentsIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return documentsIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'bench', 'examples'].flatMap(documentsIn),
];

/* A formatter takes the marks of a merge for headings and quotes, so that they look like a text. */
it.each(DOCUMENTS)('%s has no marks of a merge', (path) => {
  expect(readDocument(path)).not.toMatch(/^(?:<{7}|>{7}|(?:> ){6})/m);
});
