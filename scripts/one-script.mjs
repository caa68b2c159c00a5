/**
 * Programs and their packages as one script, for load-script.mjs. A script may come with what V8 compiled of it before, which
 * takes a third from the CPU of a start; Node 20 keeps nothing compiled of modules. What a program imports by `import()` is run
 * when it comes to it, and what nobody calls is compiled by nobody, so that one file costs no more than many.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { bundledText } from './bundle.mjs';

/** What the script gets from whoever runs it; dynamic imports are lost to scripts that come compiled (Node 20). */
const HEAD = `(function (exports, require, module, __filename, __dirname, dynamicImport) {
const importMetaUrl = require('node:url').pathToFileURL(__filename).href;
const importMetaResolve = (name) => require('node:url').pathToFileURL(require.resolve(name)).href;`;

/** `import()` of what is not in the bundle; in a text that becomes a function of its own there is no other. */
const DYNAMIC_IMPORT = /(?<![\w$.]|filePath => )import\(/g;

/** In a process of its own, with V8's usual options: what is compiled fits no others. */
const COMPILE = `
const { loadScript } = await import(process.argv[1]);
const { exports, keepCompiled } = loadScript(process.argv[2]);
await exports.load();
keepCompiled();
process.exit();`;

/**
 * @param {string} contents the script: a module whose exports are those of the script
 * @param {string} resolveDir where its imports begin
 * @param {string} file where the script goes, beside a copy of load-script.mjs as `load.js`
 * @param {Pick<import('esbuild').BuildOptions, 'alias' | 'external' | 'mainFields' | 'sourcemap'>} [options]
 */
export async function writeScript(contents, resolveDir, file, options = {}) {
  const [script, ...others] = await bundledText({
    stdin: { contents, resolveDir, loader: 'js' },
    outfile: file,
    format: 'cjs',
    banner: { js: HEAD },
    footer: { js: '})' },
    define: {
      'import.meta.url': 'importMetaUrl',
      'import.meta.resolve': 'importMetaResolve',
      'import.meta.filename': '__filename',
      'import.meta.dirname': '__dirname',
    },
    ...options,
  });
  const text = script.text.replace(DYNAMIC_IMPORT, 'dynamicImport(');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  for (const other of others) await writeFile(other.path, other.text);
  await copyFile(join(import.meta.dirname, 'load-script.mjs'), join(dirname(file), 'load.js'));
}

/**
 * Keeps what is compiled of a script when all is loaded that a start needs.
 *
 * @param {string} file one that `writeScript` made, of which `load` loads it
 */
export async function compileScript(file) {
  const loader = pathToFileURL(join(dirname(file), 'load.js')).href;
  const args = ['--input-type=module', '--eval', COMPILE, loader, file];
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
}
