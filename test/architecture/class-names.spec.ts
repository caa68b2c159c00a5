import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';

const script = pathToFileURL(join(import.meta.dirname, '../../scripts/class-names.mjs')).href;
const { classNamesAlone } = (await import(script)) as {
  classNamesAlone: (texts: readonly string[]) => string[];
};

/** Two modules with one name each for a class, an error, a class as decorators leave it, and a closure. */
const MODULE = `
class Refused extends Error {}
let Service = class Service { get() { const name = () => 1; return name; } };
Service = [(target) => target].reduce((made, decorate) => decorate(made), Service);
export const all = { Refused, Service, anonymous: class {} };
`;

const folder = mkdtempSync(join(tmpdir(), 'webhooks-names-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function bundled(): Promise<string> {
  for (const name of ['a.mjs', 'b.mjs']) writeFileSync(join(folder, name), MODULE);
  const contents = `export { all as a } from './a.mjs'; export { all as b } from './b.mjs';`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'made',
    target: 'node20',
    keepNames: true,
  });
  return outputFiles.map(({ text }) => text).join('');
}

interface Made {
  readonly Refused: new () => Error;
  readonly Service: new () => { get(): () => number };
  readonly anonymous: new () => object;
}

describe('names in the built service', () => {
  it('are what the sources say for every class, however many share one', async () => {
    const [text = ''] = classNamesAlone([await bundled()]);

    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- our own bundle
    const { a, b } = new Function(`${text}; return made;`)() as { a: Made; b: Made };

    for (const each of [a, b]) {
      expect(each.Refused.name).toBe('Refused');
      expect(each.Service.name).toBe('Service');
      expect(each.anonymous.name).toBe('anonymous');
      expect(new each.Refused()).toBeInstanceOf(Error);
    }
  });

  it('cost a closure nothing', async () => {
    const [text = ''] = classNamesAlone([await bundled()]);

    const helper = /var __name = (.+)/.exec(text)?.[1];

    expect(helper).toBe('(target) => target;');
  });

  it('are not lost when esbuild writes them in another way', () => {
    expect(() => classNamesAlone(['var a = 1;'])).toThrow('esbuild keeps names in another way');
  });
});
