import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BUILD, harnessScript } from './settings.js';

interface Maker {
  writeScript(
    contents: string,
    resolveDir: string,
    file: string,
    options: { readonly alias: Readonly<Record<string, string>> },
  ): Promise<void>;
  compileScript(file: string): Promise<void>;
}

const MAKER: string = '../../../scripts/one-script.mjs';
const FOLDER = join(BUILD, 'emitter');

const SCRIPT = `
export async function run() {
  await import('reflect-metadata');
  await import('./emitter.mjs');
}
export async function load() {
  await import('reflect-metadata');
  await import('built/app.module.js');
  await import('built/platform/database/migrate.js');
}`;

const PROGRAM = `
import { join } from 'node:path';
import { loadScript } from './load.js';
await loadScript(join(import.meta.dirname, 'script.cjs')).exports.run();
`;

/**
 * The emitter with the build under test and its packages as one script, as the service itself is: loading 3,000 modules costs
 * each suite several seconds of CPU. It is made once for a build, and goes with it.
 */
export async function bundledEmitter(): Promise<string> {
  const program = join(FOLDER, 'emitter.js');
  if (existsSync(program)) return program;
  const { writeScript, compileScript } = (await import(MAKER)) as Maker;
  const made = await mkdtemp(`${FOLDER}-`);
  const file = join(made, 'script.cjs');
  await writeScript(SCRIPT, harnessScript('.'), file, { alias: { built: BUILD } });
  await writeFile(join(made, 'emitter.js'), PROGRAM);
  await compileScript(file);
  // Another suite may have made it in the meantime, and may be running it.
  await rename(made, FOLDER).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause;
    await rm(made, { recursive: true });
  });
  return program;
}
