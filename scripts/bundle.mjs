/**
 * Programs and their packages in few files, as esbuild makes them: Node finds, reads and compiles each of 3,000 modules by
 * itself, which takes most of a start.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

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

/**
 * @param {import('esbuild').BuildOptions} options
 * @returns {Promise<{ path: string, text: string }[]>} scripts, then their maps
 */
export async function bundledText(options) {
  const { outputFiles } = await build({
    mainFields: ['module', 'main'],
    sourcemap: 'linked',
    ...options,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    keepNames: true, // of classes alone: below
    external: [...LEFT_IN_PLACE, ...(options.external ?? [])],
    plugins: [absentPackages, ownRequire],
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const scripts = outputFiles.filter(({ path }) => /\.[cm]?js$/.test(path));
  const named = classNamesAlone(scripts.map(({ text }) => text));
  return [
    ...scripts.map(({ path }, n) => ({ path, text: oneByteText(named[n]) })),
    ...outputFiles.filter((file) => !scripts.includes(file)).map(({ path, text }) => ({ path, text })),
  ];
}
