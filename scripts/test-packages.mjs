/**
 * The packages that tests import, as one script. Jest finds, reads, links and compiles every module of every test file anew: the
 * 1,500 modules behind Nest and TypeORM cost each file that needs them several seconds of CPU. Of a script, what one file of a
 * process has compiled is there for the next (test/support/package-environment.mjs).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { writeScript } from './one-script.mjs';
import { ownScripts } from './own-scripts.mjs';

const ROOT = resolve(import.meta.dirname, '..');

/** As `src/` and the tests import them. What is not here is loaded as before; it can import what is, but not `require` it. */
const PACKAGES = [
  '@nestjs/bullmq',
  '@nestjs/common',
  '@nestjs/config',
  '@nestjs/core',
  '@nestjs/passport',
  '@nestjs/platform-fastify',
  '@nestjs/swagger',
  '@nestjs/terminus',
  '@nestjs/testing',
  '@nestjs/typeorm',
  'ajv',
  'ajv-formats',
  'ajv/dist/2020.js',
  'axios',
  'bullmq',
  'class-transformer',
  'class-validator',
  'fast-check',
  'fastify',
  'helmet',
  'ioredis',
  'ipaddr.js',
  'jose',
  'passport',
  'pg',
  'prom-client',
  'rxjs',
  'standardwebhooks',
  'typeorm',
  'undici',
  'uuid',
];

/** A change of any of them makes another folder. */
const INPUTS = ['package-lock.json', ...ownScripts('test-packages.mjs')];

/**
 * Bundles them once for each lock file.
 *
 * @returns {Promise<Record<string, string>>} entries of jest's `moduleNameMapper`
 */
export async function bundledPackages() {
  const hash = createHash('sha256');
  for (const path of INPUTS) hash.update(await readFile(join(ROOT, path)));
  const folder = join(ROOT, 'node_modules/.cache', `test-packages-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) await make(folder);
  return Object.fromEntries(
    PACKAGES.map((name) => [
      `^${name.replaceAll('.', String.raw`\.`)}$`,
      join(folder, `${fileNameOf(name)}.mjs`),
    ]),
  );
}

async function make(folder) {
  await mkdir(join(folder, '..'), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  const loads = PACKAGES.map((name) => `'${name}': () => import('${name}'),`);
  await writeScript(`export const packages = {\n${loads.join('\n')}\n};`, ROOT, join(made, 'packages.cjs'), {
    mainFields: ['main'], // as Node and jest choose
    external: ['reflect-metadata'], // the one that the sources import
    sourcemap: false,
  });
  for (const name of PACKAGES) {
    await writeFile(join(made, `${fileNameOf(name)}.mjs`), moduleOf(name, await exportsOf(name)));
  }
  // Another run may have made it in the meantime, and may be reading it.
  await rename(made, folder).catch(async (cause) => {
    if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause;
    await rm(made, { recursive: true });
  });
}

/** What stands for a package: the same exports, taken from the script as it runs for this test file. */
function moduleOf(name, exports) {
  return `import { createRequire } from 'node:module';
import { join } from 'node:path';

const runScript = globalThis[Symbol.for('webhooks.runScript')];
const load = [createRequire(import.meta.url), (name) => import(name)];
const { packages } = runScript(join(import.meta.dirname, 'packages.cjs'), ...load);
const { ${exports.map((key, n) => `${key}: e${n}`).join(', ')} } = await packages['${name}']();
export { ${exports.map((key, n) => `e${n} as ${key}`).join(', ')} };
`;
}

/** esbuild alone cannot tell what a CommonJS package exports. */
async function exportsOf(name) {
  return Object.keys(await import(name)).filter((key) => /^[A-Za-z$][\w$]*$/.test(key));
}

function fileNameOf(name) {
  return name.replaceAll(/[^\w.-]+/g, '_');
}
