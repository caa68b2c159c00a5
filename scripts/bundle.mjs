/**
 * Replaces `dist/main.js` by the service and its packages in a few files. Node finds, reads
 * and compiles each of 3,000 modules by itself, which takes most of a start. What a start may never come to stays in files of
 * its own, loaded when it does. The modules in `dist/` remain as they are: they are the library.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { build } from 'esbuild';

import { classNamesAlone } from './class-names.mjs';
import { oneByteText } from './one-byte-text.mjs';

/** Found by their own files at run time (WebAssembly, static files, scripts of threads), so they stay where they are. */
const LEFT_IN_PLACE = [
  '@electric-sql/*',
  '@fastify/static',
  'pino',
  'pino-pretty',
  'swagger-ui-dist',
  'jsonata',
];

/** What packages would use if it were installed (other databases, other platforms of Nest): asked for at run time as before. */
const absentPackages = {
  name: 'absent-packages',
  setup(bundle) {
    const aliases = Object.keys(bundle.initialOptions.alias ?? {});
    bundle.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      if (importer === '' || kind === 'entry-point') return null;
      if (aliases.some((alias) => path.startsWith(`${alias}/`))) return null;
      try {
        createRequire(importer).resolve(path);
        return null;
      } catch (cause) {
        return cause.code === 'MODULE_NOT_FOUND' ? { path, external: true } : null;
      }
    });
  },
};

/** Nest's packages ask for their neighbours by a `require` of their own, which would load a second copy from node_modules. */
const ownRequire = {
  name: 'own-require',
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]@nestjs[\\/].+\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace('const require = createRequire(import.meta.url);', '') };
    });
  },
};

/** Packages written for CommonJS expect these; ESM has none of them. */
const COMMONJS = `import { createRequire as bundleRequire } from 'node:module';
const require = bundleRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/** @param {string} dist what the compiler made of `src/` */
export async function bundleService(dist) {
  await bundle(
    {
      main: join(dist, 'main.js'),
      'service/migration-cli': join(dist, 'platform/database/migration-cli.js'),
      'service/mint-token': join(dist, 'platform/auth/mint-token.js'),
      // For the fault suite, whose workers get other limits.
      'service/engine-limits': join(dist, 'modules/webhooks/application/engine-limits.js'),
    },
    { outdir: dist, chunkNames: 'service/[name]-[hash]' },
  );
}

/**
 * Puts programs of the service and their packages into a few files.
 *
 * @param {Record<string, string>} entryPoints where a program goes, without `.js`, and where it is
 * @param {Pick<import('esbuild').BuildOptions, 'outdir' | 'chunkNames' | 'alias' | 'external' | 'outExtension' | 'mainFields' | 'sourcemap'>} options
 */
export async function bundle(entryPoints, options) {
  const { outputFiles } = await build({
    entryPoints,
    mainFields: ['module', 'main'],
    sourcemap: 'linked',
    ...options,
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true, // of classes alone: below
    external: [...LEFT_IN_PLACE, ...(options.external ?? [])],
    plugins: [absentPackages, ownRequire],
    banner: { js: COMMONJS },
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const scripts = outputFiles.filter(({ path }) => /\.m?js$/.test(path));
  const named = classNamesAlone(scripts.map(({ text }) => text));
  const folders = new Set(outputFiles.map(({ path }) => dirname(path)));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  await Promise.all([
    ...scripts.map(({ path }, n) => writeFile(path, oneByteText(named[n]))),
    ...outputFiles.filter((file) => !scripts.includes(file)).map(({ path, text }) => writeFile(path, text)),
  ]);
}
