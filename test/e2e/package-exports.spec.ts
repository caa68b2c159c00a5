import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist/modules/webhooks');

/** Writes the address of everything that is imported to standard error. */
const WATCH_IMPORTS = `
  import { writeSync } from 'node:fs';
  export async function resolve(specifier, context, next) {
    const resolved = await next(specifier, context);
    writeSync(2, resolved.url + '\\n');
    return resolved;
  }`;

/** Runs a program in the package's folder in plain Node: no jest, no transformation, no TypeScript. */
async function run(
  program: string,
  options: readonly string[] = [],
): Promise<{ readonly printed: string; readonly imported: string[] }> {
  const watched = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(WATCH_IMPORTS)}));
    ${program}`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...options, '--no-warnings', '--input-type=module', '--eval', watched],
    { cwd: ROOT, env: { PATH: process.env['PATH'] } },
  );
  return { printed: stdout.trim(), imported: stderr.trim().split('\n') };
}

describe('the package', () => {
  it('gives receivers the signature helper and no framework with it', async () => {
    const { printed, imported } = await run(`
      const { WebhookSignature } = await import('gestiqcloud-webhooks/signature');
      const signature = WebhookSignature.sign('Jefe', 'what do ya want for nothing?');
      console.log(signature, WebhookSignature.verifyRaw('Jefe', 'what do ya want for nothing?', signature));`);
    expect(printed).toBe(
      'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843 true', // RFC 4231, case 2
    );
    expect(imported).toContain(`file://${DIST}/domain/signature.js`);
    for (const url of imported)
      expect(url).toMatch(/^(node:|file:\/\/.*\/dist\/modules\/webhooks\/domain\/)/);
  });

  it('gives other modules the public door of the webhooks module', async () => {
    const { printed } = await run(
      `console.log(Object.keys(await import('gestiqcloud-webhooks')).sort().join(' '))`,
    );
    expect(printed.split(' ')).toEqual(
      expect.arrayContaining(['WebhookEmitter', 'WebhookEventType', 'WebhookSignature', 'WebhooksModule']),
    );
  });

  it('gives nothing deeper', async () => {
    await expect(run(`await import('gestiqcloud-webhooks/dist/main.js')`)).rejects.toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });

  it.each([
    ['gestiqcloud-webhooks', 'index.d.ts'],
    ['gestiqcloud-webhooks/signature', 'domain/signature.d.ts'],
  ])('has types for %s', (specifier, file) => {
    const { resolvedModule } = ts.resolveModuleName(
      specifier,
      join(ROOT, 'receiver.mts'),
      { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      ts.sys,
      undefined,
      undefined,
      ts.ModuleKind.ESNext,
    );
    expect(resolvedModule?.resolvedFileName).toBe(join(DIST, file));
  });

  it('names only files that the build makes', () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const targets = Object.values<string | Record<string, string>>(exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    expect(targets.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
  });
});

const SERVICE =
  'import { service } from "./dist/service/service.js"; console.log(service.isCompiled, typeof service.exports.run)';

describe('the service', () => {
  // Red when the build keeps nothing compiled: every start takes nearly twice the CPU, and nobody is told.
  it('starts from what the build has compiled of it', async () => {
    expect((await run(SERVICE)).printed).toBe('true function');
  });

  it('is compiled as it starts where that does not fit, such as with other options of Node', async () => {
    expect((await run(SERVICE, ['--stack-size=900'])).printed).toBe('false function');
  });
});
