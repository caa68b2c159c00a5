import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { expect, it } from '@jest/globals';

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as object;

const { engines } = read('package.json') as { readonly engines: { readonly node: string } };
const { packages } = read('package-lock.json') as {
  readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
};

const { satisfies } = createRequire(import.meta.url)('semver') as {
  satisfies(version: string, range: string): boolean;
};

// Red when a dependency is raised to one that wants a newer Node: whoever installs is warned of it, and it may break.
it('every package runs on the oldest Node that we promise', () => {
  const oldest = engines.node.replace('>=', '');
  const newer = Object.entries(packages).filter(
    ([, { engines: wanted }]) => wanted?.node !== undefined && !satisfies(oldest, wanted.node),
  );
  expect(newer.map(([path, { engines: wanted }]) => `${path}: ${wanted?.node ?? ''}`)).toEqual([]);
});
