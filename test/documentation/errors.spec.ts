import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, expect, it } from '@jest/globals';

import { STATUS_OF_KIND } from '../../src/platform/http/http-errors.js';
import type { DomainErrorKind } from '../../src/platform/kernel/domain-error.js';
import { readDocument, sectionOf, tableOf } from './markdown.js';

const SOURCES = join(import.meta.dirname, '../../src');

/** A catalogue is an exported constant named `…_ERRORS` in a file named `…errors.ts`: code → status, or its kind. */
type Catalogue = Readonly<Record<string, number | { readonly kind: DomainErrorKind }>>;

async function catalogues(): Promise<[name: string, Catalogue][]> {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|[/-])errors\.ts$/.test(path),
  );
  const modules = await Promise.all(
    files.map((path) => import(join(SOURCES, path)) as Promise<Record<string, unknown>>),
  );
  return modules.flatMap((module) => Object.entries(module).filter(([name]) => name.endsWith('_ERRORS'))) as [
    string,
    Catalogue,
  ][];
}

let inCode: Map<string, number>;
let names: string[];

beforeAll(async () => {
  const found = await catalogues();
  names = found.map(([name]) => name);
  inCode = new Map(
    found.flatMap(([, catalogue]) =>
      Object.entries(catalogue).map(([code, value]): [string, number] => [
        code,
        typeof value === 'number' ? value : STATUS_OF_KIND[value.kind],
      ]),
    ),
  );
});

it('finds the catalogues of the platform and of every module', () => {
  expect(names.toSorted()).toEqual(
    expect.arrayContaining(['AUTH_ERRORS', 'INVOICE_ERRORS', 'PLATFORM_ERRORS', 'WEBHOOK_ERRORS']),
  );
});

/** Red when a code is added, removed, or changes its status, on either side. */
it('ARCHITECTURE.md lists every code with its status, and no other', () => {
  const documented = tableOf(sectionOf(readDocument('ARCHITECTURE.md'), '## Errors')).map(
    ([code = '', status = '']): [string, number] => [code.replaceAll('`', ''), Number(status)],
  );

  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(inCode));
  expect(documented).toHaveLength(inCode.size);
});

it('ARCHITECTURE.md says of every code what it means', () => {
  const meanings = tableOf(sectionOf(readDocument('ARCHITECTURE.md'), '## Errors')).map(
    (row) => row[2] ?? '',
  );

  expect(meanings.filter((meaning) => meaning.length < 10)).toEqual([]);
});
