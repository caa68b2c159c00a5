/**
 * The packages that tests import, in a few files. Jest finds, reads and links every module of every test file anew, without
 * a code cache: the 1,500 modules behind Nest and TypeORM cost each file that needs them several seconds of CPU.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { bundle } from './bundle.mjs';

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
const INPUTS = [
  'package-lock.json',
  'scripts/bundle.mjs',
  'scripts/class-names.mjs',
  'scripts/test-packages.mjs',
];

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
  await mkdir(join(made, 'entries'));
  const entryPoints = {};
  for (const name of PACKAGES) {
    const entry = join(made, 'entries', `${fileNameOf(name)}.mjs`);
    await writeFile(entry, `export { ${(await exportsOf(name)).join(', ')} } from '${name}';\n`);
    entryPoints[fileNameOf(name)] = entry;
  }
  await bundle(entryPoints, {
    outdir: made,
    outExtension: { '.js': '.mjs' },
    mainFields: ['main'], // as Node and jest choose
    external: ['reflect-metadata'], // must run before all that decorates, which chunks do not promise
    sourcemap: false,
  });
  // Another run may have made it in the meantime, and may be reading it.
  await rename(made, folder).catch(async (cause) => {
    if (cause.code !== 'ENOTEMPTY' && cause.code !== 'EEXIST') throw cause;
    await rm(made, { recursive: true });
  });
}

/** esbuild alone cannot tell what a CommonJS package exports. */
async function exportsOf(name) {
  return Object.keys(await import(name)).filter((key) => /^[A-Za-z$][\w$]*$/.test(key));
}

function fileNameOf(name) {
  return name.replaceAll(/[^\w.-]+/g, '_');
}
