import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { BUILD, harnessScript } from './settings.js';

interface Bundler {
  bundle(
    entryPoints: Readonly<Record<string, string>>,
    options: { readonly outdir: string; readonly alias: Readonly<Record<string, string>> },
  ): Promise<void>;
}

const BUNDLER: string = '../../../scripts/bundle.mjs';
const FOLDER = join(BUILD, 'emitter');

/**
 * The emitter with the build under test and its packages in a few files, as the service itself is: loading 3,000 modules costs
 * each suite several seconds of CPU. It is made once for a build, and goes with it.
 */
export async function bundledEmitter(): Promise<string> {
  const program = join(FOLDER, 'emitter.js');
  if (existsSync(program)) return program;
  const { bundle } = (await import(BUNDLER)) as Bundler;
  const made = await mkdtemp(`${FOLDER}-`);
  await bundle({ emitter: harnessScript('emitter.mjs') }, { outdir: made, alias: { built: BUILD } });
  // Another suite may have made it in the meantime, and may be running it.
  await rename(made, FOLDER).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause;
    await rm(made, { recursive: true });
  });
  return program;
}
