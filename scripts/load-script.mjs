/**
 * Runs a script that one-script.mjs made, with what V8 compiled of it before where that lies beside it and fits (the version of
 * Node and its options): otherwise, and without it, the script is compiled as any other. Copied to where the script is.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/**
 * @param {string} file the script
 * @returns {{ exports: object, isCompiled: boolean, keepCompiled: () => void }} `keepCompiled` writes what is compiled so far, for
 *   the next to run it
 */
export function loadScript(file) {
  const compiled = `${file}.compiled`;
  const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} };
  const run = script.runInThisContext();
  run(module.exports, createRequire(file), module, file, dirname(file), (name) => import(name));
  return {
    exports: module.exports,
    isCompiled: script.cachedDataRejected === false,
    keepCompiled() {
      const made = `${compiled}-${process.pid}`;
      writeFileSync(made, script.createCachedData());
      renameSync(made, compiled);
    },
  };
}
