/**
 * Module hooks that let plain Node import TypeScript. Jest runs its global set-up outside its own module system, and
 * Node 20 cannot read `.ts`; this keeps the code that starts servers one and the same for the set-up and for tests.
 */
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    const isRelativeScript = /^\.{1,2}\/.*\.js$/.test(specifier);
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !isRelativeScript) throw error;
    return next(specifier.replace(/\.js$/, '.ts'), context);
  }
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), {
    sourceMaps: 'inline',
    jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
    module: { type: 'es6' },
  });
  return { format: 'module', source: code, shortCircuit: true };
}
