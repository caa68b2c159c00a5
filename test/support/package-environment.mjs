import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

import { TestEnvironment } from 'jest-environment-node';

/** Compiled once for a process of jest's, which runs many test files. */
const scripts = new Map();

/** Node's environment, in which scripts of scripts/test-packages.mjs can be run: once for each test file. */
export default class PackageEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const ran = new Map();
    this.global[Symbol.for('webhooks.runScript')] = (file, require, dynamicImport) => {
      if (ran.has(file)) return ran.get(file);
      const module = { exports: {} };
      const run = scriptOf(file).runInContext(this.context);
      run(module.exports, require, module, file, dirname(file), dynamicImport);
      ran.set(file, module.exports);
      return module.exports;
    };
  }
}

function scriptOf(file) {
  const script = scripts.get(file) ?? new Script(readFileSync(file, 'latin1'), { filename: file });
  scripts.set(file, script);
  return script;
}
